package exchange

// Caps on text that is kept of what was said.
const (
	MaxHost    = 255 // RFC 1035 §2.3.4
	MaxProduct = 40
)

// Keep is the octets as a string: the previous one if it is the same, so that what repeats is
// allocated once.
func Keep(last *string, b []byte, limit int) string {
	b = b[:min(len(b), limit)]
	if string(b) != *last {
		*last = string(b)
	}
	return *last
}

// KeepClean is Keep for text that will be printed: octets other than printable ASCII become
// question marks.
func KeepClean(last *string, b []byte, limit int) string {
	b = b[:min(len(b), limit)]
	for i, c := range b {
		if c <= ' ' || c > '~' {
			return masked(last, b, i)
		}
	}
	return Keep(last, b, limit)
}

func masked(last *string, b []byte, from int) string {
	clean := append([]byte(nil), b...)
	for i := from; i < len(clean); i++ {
		if clean[i] <= ' ' || clean[i] > '~' {
			clean[i] = '?'
		}
	}
	return Keep(last, clean, len(clean))
}
