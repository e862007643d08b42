package http2

import (
	"slices"
	"strings"
)

// ellipsis stands for words that are not kept.
const ellipsis = "..."

// maxDebugText is how many octets of what a GOAWAY says for debugging are looked at.
const maxDebugText = 64

// debugWords are words that programs and RFC 9113 use in such texts, in order. Others may be part
// of what was said on the connection: they are not kept.
var debugWords = [...]string{
	"a", "ack", "after", "age", "allowed", "and", "been", "bytes", "calm", "cancelled", "close",
	"closed", "closing", "connection", "continuation", "control", "data", "deadline", "decode",
	"decoding", "drain", "draining", "duration", "enhance", "error", "exceeded", "expected", " " +
		"expired",
	"failed", "flood", "flow", "for", "frame", "frames", "from", "goaway", "graceful", "header",
	"headers", "hpack", "http", "id", "idle", "in", "inactivity", "internal", "invalid", "is", " " +
		"keepalive",
	"large", "length", "limit", "lost", "many", "max", "maximum", "misbehaving", "missing", "not", " " +
		"of",
	"on", "open", "overflow", "padding", "peer", "ping", "pings", "preface", "priority", "protocol",
	"push", "received", "refused", "request", "requests", "reset", "resets", "rst", "server", " " +
		"session",
	"settings", "shutdown", "shutting", "size", "stop", "stream", "streams", "table", "the", "time",
	"timed", "timeout", "to", "too", "unexpected", "unknown", "update", "window", "your",
}

// debugText is what a GOAWAY says for debugging (RFC 9113 §6.8) as far as it consists of known
// words; an ellipsis stands for the others, so that nothing of what is said on the connection gets
// out.
func debugText(p []byte) string {
	p = p[:min(len(p), maxDebugText)]
	var out []string
	words := strings.FieldsFunc(strings.ToLower(string(p)), func(r rune) bool {
		return r == ' ' || r == '_' || r == '-' || r == ':' || r == ',' || r == '.'
	})
	for _, w := range words {
		if _, known := slices.BinarySearch(debugWords[:], w); !known {
			w = ellipsis
		}
		if n := len(out); w != ellipsis || n == 0 || out[n-1] != w {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}
