package reassembly

import (
	"slices"
	"testing"
)

// TestMissingSegments: what the capture lacks though no octet is missing, and what only looks like
// it.
func TestMissingSegments(t *testing.T) {
	const syns = "0 > S 0:0(0) <mss 1000>\n0.01 < S. 0:0(0) ack 1 <mss 1000>\n"
	const ask = "0.02 > P. 1 ack 1 \"GET / HTTP/1.1\\r\\n\\r\\n\"\n"
	const answer = "0.03 < . 1:1001(1000) ack 19\n0.03 < . 1001:2001(1000) ack 19\n0.03 < . 2001:3001(1000) ack 19\n"
	for name, c := range map[string]struct{ text, want string }{
		"all there":                     {syns + "0.01 > . 1 ack 1\n" + ask + answer + "0.04 > . 19 ack 3001\n", ""},
		"acknowledged by the close":     {syns + ask + answer + "0.04 > F. 19 ack 3001\n", CaveatAcks},
		"one acknowledgment is there":   {syns + "0.01 > . 1 ack 1\n" + ask + answer + "0.04 > F. 19 ack 3001\n", ""},
		"little to acknowledge":         {syns + ask + "0.03 < P. 1:1001(1000) ack 19\n0.04 > F. 19 ack 1001\n", ""},
		"many small ones, each in turn": {syns + ask + "0.03 < P. 1:1001(1000) ack 19\n0.04 > P. 19:20(1) ack 1001\n0.05 < P. 1001:2001(1000) ack 20\n0.06 > P. 20:21(1) ack 2001\n0.07 < P. 2001:3001(1000) ack 21\n0.08 > F. 21 ack 3001\n", ""},
		"no SYN-ACK":                    {"0 > S 0:0(0) <mss 1000>\n0.01 > . 1 ack 1\n" + ask + "0.03 < P. 1:31(30) ack 19\n", CaveatSetup},
		"one direction only":            {"0 > S 0:0(0) <mss 1000>\n0.01 > . 1 ack 1\n" + ask, CaveatOneSided},
		"never answered":                {"0 > S 0:0(0) <mss 1000>\n1 > S 0:0(0) <mss 1000>\n", ""},
		"refused":                       {"0 > S 0:0(0) <mss 1000>\n0.01 < R. 0:0(0) ack 1\n", ""},
		"answered for an older one":     {"0 > S 0:0(0) <mss 1000>\n0.01 < . 90000000:90000000(0) ack 70000000\n", ""},
	} {
		got := play(t, parse(t, c.text), false).Caveats
		for _, code := range []string{CaveatAcks, CaveatSetup, CaveatOneSided} {
			if has := slices.Contains(got, code); has != (code == c.want) {
				t.Errorf("%s: caveats %v, want %q", name, got, c.want)
			}
		}
	}
}
