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
func (t *Tally) parse(log []byte) *layer {
	out := newLayer(0)
	for len(log) > 0 {
		var line []byte
		line, log, _ = bytes.Cut(log, []byte("\n"))
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		random, one, ok := parseLine(line)
		switch {
		case !ok:
			t.Bad++
		case one.label == labels:
			t.Ignored++
		default:
			t.Used++
			out.add(random, one)
		}
	}
	return out
}

// longest is how many octets a secret of any label has at most; those of labels that are ignored
// may have more.
const longest = max(masterLength, sha384Length)

// parseLine reads one line.
func parseLine(line []byte) (random Random, one secret, ok bool) {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return random, one, false
	}
	one.label = labelOf(fields[0])
	if one.label == labels {
		return random, one, isLabel(fields[0]) && isHex(fields[1]) && isHex(fields[2])
	}
	n := hex.DecodedLen(len(fields[2]))
	if hex.DecodedLen(len(fields[1])) != len(random) || !one.label.fits(n) {
		return random, one, false
	}
	var room [longest]byte
	if _, err := hex.Decode(random[:], fields[1]); err != nil {
		return random, one, false
	}
	if _, err := hex.Decode(room[:], fields[2]); err != nil {
		return random, one, false
	}
	one.octets = string(room[:n])
	return random, one, true
}

// isLabel reports whether a word may be the label of a line: those of RFC 9850 and of what came
// before it are in capitals.
func isLabel(word []byte) bool {
	return !bytes.ContainsFunc(word, func(c rune) bool {
		return (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
	})
}

// isHex reports whether a word is a number of octets in hexadecimal.
func isHex(word []byte) bool {
	return len(word)%2 == 0 && !bytes.ContainsFunc(word, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F')
	})
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
