// Package mask makes text that came from the network, or from a user, fit to be shown: nothing that
// a terminal acts on, no credentials, no values of queries. Masking what is masked changes nothing,
// so that a report that is read back is written as it was.
package mask

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hidden stands for what is not shown.
const Hidden = "…"

// WholeTarget is how many characters a request target has at most when all of it is shown: 2,048
// octets of it are kept, and each is at most four characters when it is spelled out.
const WholeTarget = 4 * 2048

const (
	maxHost   = 255 // characters of a name: more than a name in the DNS may have (RFC 1035 §2.3.4)
	maxPasses = 8   // of masking one text
)

// Visible makes text harmless for a terminal and a log: control characters (C0 and C1), escape
// sequences, characters that change the direction of text, other invisible ones and invalid UTF-8
// are spelled out.
func Visible(s string) string {
	if printable(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// printable reports whether s can be shown as it is.
func printable(s string) bool {
	for i, r := range s {
		if r < utf8.RuneSelf && !isOther(byte(r)) {
			continue
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// ASCII is text from the network. Nothing there has a reason not to be ASCII (RFC 9112 §2.2), so
// every other octet is spelled out too: no look-alike letters, no double width.
func ASCII(s string) string {
	if !hasOther(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if isOther(s[i]) {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// isOther reports whether an octet is no printable character of ASCII.
func isOther(c byte) bool { return c < 0x20 || c >= 0x7f }

// hasOther reports whether one of the octets of s is no printable character of ASCII.
func hasOther(s string) bool {
	for i := range len(s) {
		if isOther(s[i]) {
			return true
		}
	}
	return false
}

// Target is a request target fit to print: without credentials, without values unless
// showQuery, at most max characters long.
func Target(raw string, showQuery bool, max int) string {
	return settled(raw, func(s string) string {
		s = maskCredentials(s)
		if !showQuery {
			s = maskParameters(s)
		}
		return Shorten(harmless(s), max)
	})
}

// Host is the value of a Host field or a server name, without credentials.
func Host(raw string) string {
	return settled(raw, func(s string) string {
		return Shorten(harmless(maskAuthority(s)), maxHost)
	})
}

// settled masks s until that changes nothing more. Once is nearly always enough: only what is cut
// out, or taken out between two delimiters, may let the rest look like something else.
func settled(s string, once func(string) string) string {
	for range maxPasses {
		masked := once(s)
		if masked == s {
			break
		}
		s = masked
	}
	return s
}

// harmless is ASCII without touching the ellipsis that masking put in.
func harmless(s string) string {
	if !hasOther(s) {
		return s
	}
	parts := strings.Split(s, Hidden)
	for i := range parts {
		parts[i] = ASCII(parts[i])
	}
	return strings.Join(parts, Hidden)
}

// maskCredentials hides userinfo (RFC 3986 §3.2.1) wherever an authority may stand: in the absolute
// form, in the authority form and in a URL that is part of a path.
func maskCredentials(s string) string {
	if !strings.HasPrefix(s, "/") && !strings.Contains(s, "://") {
		return maskAuthority(s)
	}
	head, rest, found := strings.Cut(s, "://")
	if !found {
		return s
	}
	pieces := strings.Split(rest, "://")
	for i := range pieces {
		pieces[i] = maskAuthority(pieces[i])
		// with what began a query, perhaps: nothing behind is known to be harmless, either
		if pieces[i] == Hidden {
			pieces = pieces[:i+1]
			break
		}
	}
	return head + "://" + strings.Join(pieces, "://")
}

// maskAuthority hides what stands before the last @ of the authority that s begins with. Where the
// authority has something that is no port, it may be a password with a delimiter in it that should
// have been escaped; an @ behind that may as well belong to a query. Then nothing of s is known to
// be harmless.
func maskAuthority(s string) string {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	_, port, found := strings.Cut(s[:end], ":")
	password := found && strings.Trim(port, "0123456789") != "" && !strings.Contains(port, "]")
	if password && strings.LastIndexByte(s, '@') >= end {
		return Hidden
	}
	if at := strings.LastIndexByte(s[:end], '@'); at >= 0 {
		return Hidden + s[at:]
	}
	return s
}

// maskParameters hides the values of path parameters and of the query, what looks like a credential
// in the path, and the fragment, which
// never belongs into a request.
func maskParameters(target string) string {
	target, _, _ = strings.Cut(target, "#")
	path, query, found := strings.Cut(target, "?")
	if !found {
		return maskTokens(maskPath(path))
	}
	return maskTokens(maskPath(path)) + "?" + maskQuery(query)
}

// maskPath hides the values of path parameters (";jsessionid=…", RFC 3986 §3.3).
func maskPath(path string) string {
	if !strings.ContainsAny(path, ";=%") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if strings.Contains(segment, ";") || equals(segment) >= 0 {
			segments[i] = maskValues(segment)
		}
	}
	return strings.Join(segments, "/")
}

// maskValues hides what follows an equals sign, escaped or not, until the next parameter.
func maskValues(segment string) string {
	params := strings.FieldsFunc(segment, func(r rune) bool { return r == ';' || r == '&' })
	for i, param := range params {
		if at := equals(param); at >= 0 {
			params[i] = param[:at] + "=" + Hidden
		}
	}
	return strings.Join(params, ";")
}

// equals is where the first equals sign of a parameter stands, or an escaped one; -1 if there is
// none.
func equals(param string) int {
	first := -1
	for _, sign := range []string{"=", "%3D", "%3d"} {
		if at := strings.Index(param, sign); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// maskQuery keeps the names of a query and hides its values, and hides what has no name.
func maskQuery(query string) string {
	if query == "" {
		return ""
	}
	params := strings.FieldsFunc(query, func(r rune) bool { return r == ';' || r == '&' })
	for i, param := range params {
		at := equals(param)
		if at < 0 {
			params[i] = Hidden
		} else {
			params[i] = param[:at] + "=" + Hidden
		}
	}
	return strings.Join(params, "&")
}

// Shorten cuts the middle out of s so that at most max characters are left.
func Shorten(s string, max int) string {
	if len(s) <= max {
		return s
	}
	runes := []rune(s)
	if len(runes) <= max {
		return s
	}
	tail := (max - 1) / 3
	head := max - 1 - tail
	return string(runes[:head]) + Hidden + string(runes[len(runes)-tail:])
}
