package keylog

import (
	"bytes"
	"encoding/hex"
)

// Lengths of secrets: that of TLS 1.2 (RFC 5246 §8.1), and of the hashes that TLS 1.3 uses
// (RFC 8446 §B.4).
const (
	masterLength = 48
	sha256Length = 32
	sha384Length = 48
)

// parse reads the lines of a key log (RFC 9850 §2): a label, a client random and a secret, both in
// hexadecimal. Comments, other labels, and what is no such line are passed over.
func parse(log []byte) layer {
	out := layer{}
	for len(log) > 0 {
		var line []byte
		line, log, _ = bytes.Cut(log, []byte("\n"))
		if random, one, ok := parseLine(bytes.TrimSuffix(line, []byte("\r"))); ok {
			out.add(random, one)
		}
	}
	return out
}

// parseLine reads one line.
func parseLine(line []byte) (random Random, one secret, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return random, one, false
	}
	one.label = labelOf(fields[0])
	if one.label == labels || hex.DecodedLen(len(fields[1])) != len(random) {
		return random, one, false
	}
	if _, err := hex.Decode(random[:], fields[1]); err != nil {
		return random, one, false
	}
	var room [max(masterLength, sha384Length)]byte
	n := hex.DecodedLen(len(fields[2]))
	if !one.label.fits(n) {
		return random, one, false
	}
	if _, err := hex.Decode(room[:], fields[2]); err != nil {
		return random, one, false
	}
	one.octets = string(room[:n])
	return random, one, true
}

// labelOf is the label of a name; labels if it is none that matters.
func labelOf(name []byte) Label {
	for label, known := range names {
		if string(name) == known {
			return Label(label)
		}
	}
	return labels
}

// fits reports whether a secret may have n octets.
func (l Label) fits(n int) bool {
	if l == MasterSecret {
		return n == masterLength
	}
	return n == sha256Length || n == sha384Length
}
