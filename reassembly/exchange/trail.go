package exchange

import (
	"encoding/hex"
	"net/netip"
)

// Trail is what a request says of its way through proxies, so that its legs are known as one. All of
// it is optional: a zero value was not said, or not said as it must be.
type Trail struct {
	RequestID uint64     // hash of X-Request-ID
	TraceID   [16]byte   // of traceparent (W3C Trace Context §3.2.2.3): the same on all legs
	ParentID  [8]byte    // likewise (§3.2.2.4): of the span that made this leg
	Forwarded netip.Addr // the last of X-Forwarded-For: the client, as the proxy saw it
}

// SetRequestID takes the value of an X-Request-ID field.
func (t *Trail) SetRequestID(v []byte) {
	if len(v) > 0 {
		t.RequestID = Hash(HashStart, v)
	}
}

const (
	traceParentSize = 55 // of version 00: version, trace, parent and flags in hex, joined by dashes
	traceFrom       = 3
	parentFrom      = 36
	flagsFrom       = 53
)

// SetTraceParent takes the value of a traceparent field; later versions begin with the same (W3C
// Trace Context §4.3).
func (t *Trail) SetTraceParent(v []byte) {
	if len(v) < traceParentSize || string(v[:2]) == "ff" || v[traceFrom-1] != '-' ||
		v[parentFrom-1] != '-' || v[flagsFrom-1] != '-' {
		return
	}
	var ids Trail
	_, err := hex.Decode(ids.TraceID[:], v[traceFrom:parentFrom-1])
	_, err2 := hex.Decode(ids.ParentID[:], v[parentFrom:flagsFrom-1])
	if err == nil && err2 == nil && ids.TraceID != [16]byte{} && ids.ParentID != [8]byte{} {
		t.TraceID, t.ParentID = ids.TraceID, ids.ParentID
	}
}

// maxAddress is the longest text of an address with a zone of some octets, brackets and a port.
const maxAddress = 64

// SetForwarded takes the value of an X-Forwarded-For field: each proxy appends whom it serves.
func (t *Trail) SetForwarded(v []byte) {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i] == ',' {
			v = v[i+1:]
			break
		}
	}
	for len(v) > 0 && v[0] == ' ' {
		v = v[1:]
	}
	if len(v) > maxAddress {
		return
	}
	text := string(v)
	if a, err := netip.ParseAddr(text); err == nil {
		t.Forwarded = a.Unmap()
	} else if a, err := netip.ParseAddrPort(text); err == nil {
		t.Forwarded = a.Addr().Unmap()
	}
}

// HashStart is where a hash of several parts begins.
const HashStart uint64 = 14695981039346656037

// Hash adds octets to a hash: FNV-1a. Nothing may rest on two hashes being different on
// purpose: whoever writes the octets may make them equal.
func Hash[T ~string | ~[]byte](h uint64, octets T) uint64 {
	const prime = 1099511628211
	for i := range len(octets) {
		h = (h ^ uint64(octets[i])) * prime
	}
	return h
}
