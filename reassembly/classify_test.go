package reassembly

import "testing"

// threeWay takes 50 ms between the capture, at the client, and the server. Data begins at frame 4.
const threeWay = `
0.000 > S  0:0(0) win 64240 <mss 1460,sackOK,wscale 7>
0.050 < S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>
0.050 > .  1:1(0) ack 1 win 502
`

// serverSide is the same seen at the server.
const serverSide = `
0.000 > S  0:0(0) win 64240 <mss 1460,sackOK,wscale 7>
0.000 < S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,wscale 7>
0.050 > .  1:1(0) ack 1 win 502
0.050 > P. 1:101(100) ack 1 win 502
0.050 < .  1:1(0) ack 101 win 509
`

func TestKinds(t *testing.T) {
	const show = Unseen | Hole | AcksUnseen | Overrun | Conflict | Wild
	tests := []struct{ name, text, want string }{
		{"plain", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1:1(0) ack 101 win 509
0.110 < P. 1:201(200) ack 101 win 509
0.110 > .  101:101(0) ack 201 win 501`, ""},
		{"SYN again", `
0.000 > S 0:0(0) win 64240 <mss 1460>
1.000 > S 0:0(0) win 64240 <mss 1460>
1.050 < S. 0:0(0) ack 1 <mss 1460>`, "2 timeout-retransmission"},
		{"fast retransmission at the server", serverSide + `
0.060 < .  1:1449(1448) ack 101 win 509
0.060 < .  1449:2897(1448) ack 101 win 509
0.060 < .  2897:4345(1448) ack 101 win 509
0.060 < .  4345:5793(1448) ack 101 win 509
0.110 > .  101:101(0) ack 1 win 502 <sack 1449:2897>
0.110 > .  101:101(0) ack 1 win 502 <sack 1449:4345>
0.110 > .  101:101(0) ack 1 win 502 <sack 1449:5793>
0.1101 < . 1:1449(1448) ack 101 win 509
0.161 > .  101:101(0) ack 5793 win 502`,
			"10 duplicate-ack, 11 duplicate-ack, 12 duplicate-ack, 13 fast-retransmission"},
		{"fast retransmission without SACK", serverSide + `
0.060 < .  1:1449(1448) ack 101 win 509
0.060 < .  1449:2897(1448) ack 101 win 509
0.060 < .  2897:4345(1448) ack 101 win 509
0.060 < .  4345:5793(1448) ack 101 win 509
0.110 > .  101:101(0) ack 1 win 502
0.110 > .  101:101(0) ack 1 win 502
0.110 > .  101:101(0) ack 1 win 502
0.1101 < . 1:1449(1448) ack 101 win 509
0.161 > .  101:101(0) ack 5793 win 502`,
			"10 duplicate-ack, 11 duplicate-ack, 12 duplicate-ack, 13 fast-retransmission"},
		{"fast retransmission at the client: lost before the capture", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1449:2897(1448) ack 101 win 509
0.100 > .  101:101(0) ack 1 win 502 <sack 1449:2897>
0.100 < .  2897:4345(1448) ack 101 win 509
0.100 > .  101:101(0) ack 1 win 502 <sack 1449:4345>
0.100 < .  4345:5793(1448) ack 101 win 509
0.100 > .  101:101(0) ack 1 win 502 <sack 1449:5793>
0.150 < .  1:1449(1448) ack 101 win 509
0.150 > .  101:101(0) ack 5793 win 502`,
			"5 hole, 6 duplicate-ack, 8 duplicate-ack, 10 duplicate-ack, 11 fast-retransmission+unseen"},
		{"out of order", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1449:2897(1448) ack 101 win 509
0.1001 > .  101:101(0) ack 1 win 502 <sack 1449:2897>
0.101 < .  1:1449(1448) ack 101 win 509
0.101 > .  101:101(0) ack 2897 win 502`, "5 hole, 6 duplicate-ack, 7 out-of-order"},
		{"late, but stamped before: out of order", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502 <TS val 50 ecr 10>
0.100 < .  1449:2897(1448) ack 101 win 509 <TS val 61 ecr 50>
0.100 > .  101:101(0) ack 1 win 502 <TS val 100 ecr 10,sack 1449:2897>
0.180 < .  1:1449(1448) ack 101 win 509 <TS val 60 ecr 50>`, "5 hole, 6 duplicate-ack, 7 out-of-order"},
		{"early, but stamped later: sent again", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502 <TS val 50 ecr 10>
0.100 < .  1449:2897(1448) ack 101 win 509 <TS val 61 ecr 50>
0.1001 > .  101:101(0) ack 1 win 502 <TS val 100 ecr 10,sack 1449:2897>
0.130 < .  1:1449(1448) ack 101 win 509 <TS val 90 ecr 50>`, "5 hole, 6 duplicate-ack, 7 retransmission+unseen"},
		{"timeout", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.320 > P. 1:101(100) ack 1 win 502
0.860 > P. 1:101(100) ack 1 win 502
0.910 < .  1:1(0) ack 101 win 509`, "5 timeout-retransmission, 6 timeout-retransmission"},
		{"tail loss probe", threeWay + `
0.050 > .  1:1449(1448) ack 1 win 502
0.050 > P. 1449:2000(551) ack 1 win 502
0.160 > P. 1449:2000(551) ack 1 win 502
0.210 < .  1:1(0) ack 2000 win 509`, "6 tail-loss-probe"},
		{"spurious: acknowledged before", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1:1(0) ack 101 win 509
0.320 > P. 1:101(100) ack 1 win 502
0.370 < .  1:1(0) ack 101 win 509 <sack 1:101>`, "6 spurious-retransmission, 7 duplicate-ack"},
		{"spurious: acknowledged too soon", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.320 > P. 1:101(100) ack 1 win 502
0.325 < .  1:1(0) ack 101 win 509`, "5 spurious-retransmission"},
		{"spurious: reported as duplicate", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.320 > P. 1:101(100) ack 1 win 502
0.365 < .  1:1(0) ack 101 win 509
0.370 < .  1:1(0) ack 101 win 509 <sack 1:101>`, "5 spurious-retransmission, 7 duplicate-ack"},
		{"spurious: echoes the first stamp", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502 <TS val 50 ecr 1>
0.320 > P. 1:101(100) ack 1 win 502 <TS val 320 ecr 1>
0.365 < .  1:1(0) ack 101 win 509 <TS val 7 ecr 50>`, "5 spurious-retransmission"},
		{"keep-alive", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1:1(0) ack 101 win 509
75.10 > .  100:100(0) ack 1 win 502
75.15 < .  1:1(0) ack 101 win 509
150.1 > .  100:101(1) ack 1 win 502
150.2 < .  1:1(0) ack 101 win 509`, "6 keep-alive, 7 keep-alive-ack, 8 keep-alive, 9 keep-alive-ack"},
		{"zero window", serverSide + `
0.060 < .  1:1449(1448) ack 101 win 509
0.110 > .  101:101(0) ack 1449 win 0
0.450 < .  1448:1448(0) ack 101 win 509
0.500 > .  101:101(0) ack 1449 win 0
1.100 < .  1448:1448(0) ack 101 win 509
1.150 > .  101:101(0) ack 1449 win 0
1.200 > .  101:101(0) ack 1449 win 502
1.2001 < . 1449:2897(1448) ack 101 win 509`,
			"8 zero-window-probe, 9 zero-window-probe-ack, 10 zero-window-probe, 11 zero-window-probe-ack, 12 window-update"},
		{"zero-window probe of one octet", serverSide + `
0.060 < .  1:1449(1448) ack 101 win 509
0.110 > .  101:101(0) ack 1449 win 0
0.450 < .  1449:1450(1) ack 101 win 509
0.500 > .  101:101(0) ack 1449 win 0
1.200 > .  101:101(0) ack 1449 win 502
1.2001 < . 1449:2897(1448) ack 101 win 509`, "8 zero-window-probe, 9 zero-window-probe-ack, 10 window-update"},
		{"acknowledges what the capture lacks", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.100 < .  1449:2897(1448) ack 101 win 509
0.101 > .  101:101(0) ack 2897 win 502
0.120 < .  2897:4345(1448) ack 101 win 509`, "5 hole, 6 acks-unseen"},
		{"beyond the window", `
0.000 > S  0:0(0) win 2000 <mss 1460>
0.050 < S. 0:0(0) ack 1 win 65160 <mss 1460>
0.050 > .  1:1(0) ack 1 win 2000
0.100 < .  1:1449(1448) ack 1 win 509
0.100 < .  1449:2897(1448) ack 1 win 509
0.100 < .  2897:4345(1448) ack 1 win 509`, "6 overrun"},
		{"the window is not known to be scaled", `
0.050 > .  1:1(0) ack 1 win 20
0.100 < .  1:1449(1448) ack 1 win 509
0.100 < .  1449:2897(1448) ack 1 win 509
0.100 < .  2897:4345(1448) ack 1 win 509`, ""},
		{"other octets", threeWay + `
0.050 > P. 1 ack 1 win 502 "GET "
0.051 > P. 9 ack 1 win 502 "good"
0.052 > P. 9 ack 1 win 502 "evil"`, "5 hole, 6 retransmission+conflict"},
		{"wild number", threeWay + `
0.050 > P. 1:101(100) ack 1 win 502
0.060 > P. 900000000:900000100(100) ack 1 win 502
0.070 > P. 101:201(100) ack 1 win 502`, "5 wild"},
		{"FIN again", threeWay + `
0.050 > F. 1:1(0) ack 1 win 502
0.320 > F. 1:1(0) ack 1 win 502`, "5 timeout-retransmission"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, parse(t, tt.text), false)
			if got := kindsOf(r, show); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
