package output

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hidden stands for what is not shown.
const hidden = "…"

// maxTarget is how many characters of a masked request target a report for programs shows.
const maxTarget = 512

// visible makes text harmless for a terminal and a log: control characters (C0 and C1), escape
// sequences, characters that change the direction of text, other invisible ones and invalid UTF-8
// are spelled out.
func visible(s string) string {
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
		if !unicode.IsPrint(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// captured is text from the network. Nothing there has a reason not to be ASCII (RFC 9112 §2.2), so
// every other octet is spelled out too: no look-alike letters, no double width.
func captured(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// maskTarget is a request target fit to print: without credentials, without values unless
// showQuery, at most max characters long.
func maskTarget(raw string, showQuery bool, max int) string {
	raw = maskCredentials(raw)
	if !showQuery {
		raw, _, _ = strings.Cut(raw, "#") // a fragment never belongs into a request
		path, query, found := strings.Cut(raw, "?")
		raw = maskPath(path)
		if found {
			raw += "?" + maskQuery(query)
		}
	}
	return shorten(harmless(raw), max)
}

// harmless is captured without touching the ellipsis that masking put in.
func harmless(s string) string {
	parts := strings.Split(s, hidden)
	for i := range parts {
		parts[i] = captured(parts[i])
	}
	return strings.Join(parts, hidden)
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
		if pieces[i] == hidden {
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
		return hidden
	}
	if at := strings.LastIndexByte(s[:end], '@'); at >= 0 {
		return hidden + s[at:]
	}
	return s
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
			params[i] = param[:at] + "=" + hidden
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
			params[i] = hidden
		} else {
			params[i] = param[:at] + "=" + hidden
		}
	}
	return strings.Join(params, "&")
}

// maskHost is the value of a Host field or a server name, without credentials.
func maskHost(raw string) string {
	return shorten(harmless(maskAuthority(raw)), 255)
}

// shorten cuts the middle out of s so that at most max characters are left.
func shorten(s string, max int) string {
	runes := []rune(s)
	if len(runes) <= max {
		return s
	}
	tail := (max - 1) / 3
	head := max - 1 - tail
	return string(runes[:head]) + hidden + string(runes[len(runes)-tail:])
}
