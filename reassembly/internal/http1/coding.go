package http1

import (
	"bytes"

	"tcpwhy/reassembly/exchange"
)

// mediaFacts reads a Content-Type (RFC 9110 §8.3): whether the body is text, as program code,
// markup and data in words are, too (RFC 6839 §3 for suffixes).
func mediaFacts(v []byte) exchange.Facts {
	media, _, _ := bytes.Cut(v, []byte{';'})
	media = trimBlank(media)
	switch {
	case foldEq(media, "text/event-stream"):
		return exchange.EventStream
	case foldStarts(media, "text/"), foldEnds(media, "+json"), foldEnds(media, "+xml"),
		foldStarts(media, "application/") && textOf(media[len("application/"):]):
		return exchange.TextMedia
	}
	return 0
}

// textOf reports whether a subtype of application is text.
func textOf(subtype []byte) bool {
	for _, known := range [...]string{
		"json", "javascript", "x-javascript", "ecmascript", "xml", "x-ndjson",
	} {
		if foldEq(subtype, known) {
			return true
		}
	}
	return false
}

// encodingFacts reads a Content-Encoding (RFC 9110 §8.4); identity is none.
func encodingFacts(v []byte) exchange.Facts {
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		if len(item) > 0 && !foldEq(item, "identity") {
			return exchange.HasCoding
		}
		if rest == nil {
			return 0
		}
	}
}

// acceptFacts reads an Accept-Encoding (RFC 9110 §12.5.3): whether it names a coding that makes
// text shorter, and does not exclude it by a weight of zero.
func acceptFacts(v []byte) exchange.Facts {
	for item, rest := nextItem(v); ; item, rest = nextItem(rest) {
		coding, weight, _ := bytes.Cut(item, []byte{';'})
		if compresses(trimBlank(coding)) && !isZeroWeight(trimBlank(weight)) {
			return exchange.AcceptsCoding
		}
		if rest == nil {
			return 0
		}
	}
}

// compresses reports whether a content coding is a general compressor that servers have.
func compresses(coding []byte) bool {
	for _, known := range [...]string{"gzip", "br", "zstd", "deflate", "x-gzip", "*"} {
		if foldEq(coding, known) {
			return true
		}
	}
	return false
}

// isZeroWeight reports whether a weight is 0, with up to three zeros behind the point (RFC 9110
// §12.4.2).
func isZeroWeight(w []byte) bool {
	return len(w) > 2 && foldStarts(w, "q=0") && len(bytes.Trim(w[len("q="):], "0.")) == 0
}

// foldStarts reports whether b begins with s, in any case.
func foldStarts(b []byte, s string) bool { return len(b) >= len(s) && foldEq(b[:len(s)], s) }

// foldEnds reports whether b ends with s, in any case.
func foldEnds(b []byte, s string) bool { return len(b) >= len(s) && foldEq(b[len(b)-len(s):], s) }
