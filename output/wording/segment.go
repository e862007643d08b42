package wording

import (
	"strings"

	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// flagLetters are the letters of the TCP flags in the order in which they are written: SYN first,
// then the bits from the lowest on.
var flagLetters = [...]struct {
	flag   capture.TCPFlags
	letter byte
}{
	{capture.SYN, 'S'}, {capture.FIN, 'F'}, {capture.RST, 'R'}, {capture.PSH, 'P'},
	{capture.ACK, '.'}, {capture.URG, 'U'}, {capture.ECE, 'E'}, {capture.CWR, 'W'},
}

// noFlags stands for a segment without any flag.
const noFlags = "-"

// Flags are the letters of TCP flags as packetdrill and tcpdump write them.
func Flags(f capture.TCPFlags) string {
	s := ""
	for _, l := range flagLetters {
		if f&l.flag != 0 {
			s += string(l.letter)
		}
	}
	if s == "" {
		return noFlags
	}
	return s
}

// ParseFlags are the flags that were written so; false if one of them is not known.
func ParseFlags(letters string) (capture.TCPFlags, bool) {
	var f capture.TCPFlags
	for _, l := range flagLetters {
		if strings.IndexByte(letters, l.letter) >= 0 {
			f |= l.flag
		}
	}
	return f, Flags(f) == letters
}

// traits are the traits that a trace names; Advances, HasTS and Outrun tell nothing that its reader
// needs.
var traits = [...]struct {
	trait reassembly.Trait
	name  string
}{
	{reassembly.Full, "full"},
	{reassembly.Unseen, "first-copy-unseen"},
	{reassembly.Hole, "behind-a-hole"},
	{reassembly.AcksUnseen, "acks-unseen"},
	{reassembly.Overrun, "beyond-the-window"},
	{reassembly.Conflict, "other-octets"},
	{reassembly.Wild, "wild-numbers"},
}

// Traits are the names of a segment's traits.
func Traits(all reassembly.Trait) []string {
	var names []string
	for _, t := range traits {
		if all.Has(t.trait) {
			names = append(names, t.name)
		}
	}
	return names
}

// ParseTrait is the trait of that name; false if there is none.
func ParseTrait(name string) (reassembly.Trait, bool) {
	for _, t := range traits {
		if t.name == name {
			return t.trait, true
		}
	}
	return 0, false
}
