package http1

// Caps on text that is kept of a message.
const (
	maxTarget = 2048
	maxMethod = 32
)

// foldEq compares octets with a lower-case name, without regard to the case of ASCII letters.
func foldEq(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// tokenChar reports whether c may stand in a token (RFC 9110 §5.6.2).
func tokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokenChar(c) {
			return false
		}
	}
	return len(b) > 0
}

// blank reports optional white space (RFC 9110 §5.6.3).
func blank(c byte) bool { return c == ' ' || c == '\t' }

// trimBlank cuts white space from both ends.
func trimBlank(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// nextItem splits the first element from a comma-separated list (RFC 9110 §5.6.1).
func nextItem(list []byte) (item, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trimBlank(list[:i]), list[i+1:]
		}
	}
	return trimBlank(list), nil
}

// decimal reads digits and nothing else. ok is false for no digits, and for 2^63 and more.
func decimal(b []byte) (n int64, ok bool) {
	const limit = 1<<63 - 1
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int64(c - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// product is the first product token of User-Agent or Server, without comments (RFC 9110 §10.1.5).
func product(value []byte) []byte {
	for i, c := range value {
		if blank(c) || c == '(' {
			return value[:i]
		}
	}
	return value
}
