// Package template makes one of the many paths that differ only in what they name: numbers,
// identifiers, hashes and dates. It looks at one path alone, so that what else was asked for
// changes nothing.
package template

import "strings"

// The placeholders.
const (
	number  = "{n}"
	uuid    = "{uuid}"
	date    = "{date}"
	hash    = "{hex}"
	ident   = "{id}"
	further = "…"
)

const (
	// maxSegments and maxOctets bound a template: what is beyond them is one.
	maxSegments = 16
	maxOctets   = 200
	// leastHash is how many hexadecimal digits look like no word: the shortest that programs cut
	// hashes to have seven or eight.
	leastHash = 8
	// leastID is the length from which a mixture of letters and digits is no word; it has this many
	// groups of digits.
	leastID    = 10
	leastMixed = 2
	// leastLong is the length from which one group of digits is enough.
	leastLong = 20
	// leastTrailing is how many digits behind letters are a number, and not part of a name as in
	// "v1" or "mp3".
	leastTrailing = 3
)

// Of is the template of a request target (RFC 9112 §3.2): its path without query, fragment and
// parameters. Of an absolute form the path; an authority ("host:443") and "*" are themselves.
func Of(target string) string {
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	if scheme := strings.Index(target, "://"); scheme > 0 && !strings.HasPrefix(target, "/") {
		rest := target[scheme+len("://"):]
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "/"
		}
		target = rest[slash:]
	}
	if !strings.HasPrefix(target, "/") {
		return shortened(target)
	}
	var room [maxOctets + 56]byte
	b, n := room[:0], 0
	for segment := range strings.SplitSeq(target[1:], "/") {
		b = append(b, '/')
		if n++; n > maxSegments {
			b = append(b, further...)
			break
		}
		segment, _, _ = strings.Cut(segment, ";")
		b = appendSegment(b, segment)
	}
	if string(b) == target {
		return shortened(target)
	}
	return shortened(string(b))
}

// shortened is s within maxOctets.
func shortened(s string) string {
	if len(s) <= maxOctets {
		return s
	}
	return strings.ToValidUTF8(s[:maxOctets], "") + further
}

// appendSegment appends the template of what stands between two slashes.
func appendSegment(b []byte, s string) []byte {
	stem, extension := s, ""
	if i := strings.LastIndexByte(s, '.'); i > 0 && isExtension(s[i+1:]) {
		stem, extension = s[:i], s[i:]
	}
	switch {
	case isUUID(stem):
		b = append(b, uuid...)
	case isDate(stem):
		b = append(b, date...)
	case !isHex(stem) && isIdentifier(stem):
		b = append(b, ident...)
	default:
		b = appendTokens(b, stem)
	}
	return append(b, extension...)
}

// appendTokens puts placeholders for the parts of a segment between its punctuation.
func appendTokens(b []byte, s string) []byte {
	for len(s) > 0 {
		n := strings.IndexFunc(s, punctuation)
		if n < 0 {
			n = len(s)
		}
		b = appendToken(b, s[:n])
		if s = s[n:]; len(s) > 0 {
			b = append(b, s[0]) // punctuation is ASCII
			s = s[1:]
		}
	}
	return b
}

// punctuation parts a segment; a percent sign belongs to what it encodes.
func punctuation(r rune) bool { return r < 0x80 && !isAlnum(byte(r)) && r != '%' }

// appendToken appends a number, a hash, an identifier, a name with a number at its end, or s
// itself.
func appendToken(b []byte, s string) []byte {
	letters := strings.TrimRight(s, "0123456789")
	switch {
	case s == "":
		return b
	case letters == "":
		return append(b, number...)
	case len(s) >= leastHash && isHex(s) && digitGroups(s) > 0:
		return append(b, hash...)
	case isIdentifier(s):
		return append(b, ident...)
	case len(s)-len(letters) >= leastTrailing && digitGroups(letters) == 0 &&
		!strings.Contains(s, "%"):
		return append(append(b, letters...), number...)
	}
	return append(b, s...)
}

// isExtension reports whether s looks like the type of a file: up to five letters and digits, of
// which the first is a letter.
func isExtension(s string) bool {
	const longest = 5
	if s == "" || len(s) > longest || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlnum(s[i]) {
			return false
		}
	}
	return true
}

// isUUID reports whether s is a UUID (RFC 9562 §4).
func isUUID(s string) bool {
	const shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	return matches(s, shape)
}

// isDate reports whether s is a date (RFC 3339 §5.6), perhaps with a time behind it.
func isDate(s string) bool {
	const shape = "0000-00-00"
	return len(s) >= len(shape) && matches(s[:len(shape)], shape) &&
		(len(s) == len(shape) || s[len(shape)] == 'T' || s[len(shape)] == '_')
}

// matches reports whether s has the shape: x for a hexadecimal digit, 0 for a decimal one.
func matches(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		switch shape[i] {
		case 'x':
			if !isHex(s[i : i+1]) {
				return false
			}
		case '0':
			if !isDigit(s[i]) {
				return false
			}
		default:
			if s[i] != shape[i] {
				return false
			}
		}
	}
	return true
}

// isIdentifier reports whether s is made by a program: letters and digits in turn, as in base64url
// (RFC 4648 §5), base32 or base58, and no punctuation inside that parts words.
func isIdentifier(s string) bool {
	if len(s) < leastID {
		return false
	}
	groups := digitGroups(s)
	if groups == 0 || strings.Contains(s, "%") {
		return false
	}
	parts := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-' || c == '_':
			parts++
		case !isAlnum(c) && c != '=' && c != '+':
			return false
		}
	}
	// words with numbers between hyphens are no identifier: "report-2024-q1"
	if parts > 0 && !mixedCase(s) {
		return false
	}
	if len(s) >= leastLong && (mixedCase(s) || groups > leastMixed) {
		return mixed(s)
	}
	return groups >= leastMixed && mixed(s)
}

// mixed reports whether kinds of characters change as often as chance makes them.
func mixed(s string) bool {
	const often = 3 // one character in three is of another kind than the one before
	changes := 0
	for i := 1; i < len(s); i++ {
		if kindOf(s[i]) != kindOf(s[i-1]) && !(isUpper(s[i-1]) && isLower(s[i])) {
			changes++
		}
	}
	return changes*often >= len(s) || len(s) >= leastLong && changes*2*often >= len(s)
}

// mixedCase reports whether s has small and capital letters.
func mixedCase(s string) bool { return strings.ToLower(s) != s && strings.ToUpper(s) != s }

// digitGroups is how many groups of digits s has.
func digitGroups(s string) (n int) {
	for i := range len(s) {
		if isDigit(s[i]) && (i == 0 || !isDigit(s[i-1])) {
			n++
		}
	}
	return n
}

// kindOf is a number for each kind of character.
func kindOf(c byte) int {
	switch {
	case isDigit(c):
		return 1
	case isUpper(c):
		return 2
	case isLower(c):
		return 3
	}
	return 0
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool  { return c >= 'a' && c <= 'z' }
func isLetter(c byte) bool { return isUpper(c) || isLower(c) }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }

// isHex reports whether s has hexadecimal digits alone.
func isHex(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !isDigit(s[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
