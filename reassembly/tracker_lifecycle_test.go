package reassembly

import (
	"testing"
	"time"
)

func TestStates(t *testing.T) {
	const closing = `
0.100 > F. 1:1(0) ack 1
0.150 < F. 1:1(0) ack 2
0.150 > .  2:2(0) ack 2`
	tests := []struct {
		name, text, history string
		state               State
		first               uint64 // frame of the first close
		rst, active         bool
	}{
		{"nobody answers", "0 > S 0:0(0)\n1 > S 0:0(0)\n", "S", Connecting, 0, false, false},
		{"refused", "0 > S 0:0(0)\n0.1 < R. 0:0(0) ack 1\n", "Sr", Refused, 2, true, true},
		{"refused by ICMP", "0 > S 0:0(0)\n0.1 > icmp:3/1 0:0(0) from 10.0.0.254\n", "S", Refused, 0, false, false},
		{"an ICMP error afterwards does not refuse", threeWay + "0.1 > icmp:3/1 0:0(0) from 10.0.0.254\n", "ShA", Established, 0, false, false},
		{"RST that does not acknowledge the SYN", "0 > S 0:0(0)\n0.1 < R. 0:0(0) ack 9\n", "Sr", Connecting, 0, false, false},
		{"established", threeWay, "ShA", Established, 0, false, false},
		{"half closed", threeWay + "0.1 < F. 1:1(0) ack 1\n", "ShAf", HalfClosed, 4, false, false},
		{"closed", threeWay + closing, "ShAFf", Closed, 4, false, false},
		{"RST after both FINs", threeWay + closing + "\n0.2 > R 2:2(0)\n", "ShAFfR", Closed, 4, false, false},
		{"aborted", threeWay + "0.1 < R. 1:1(0) ack 1\n", "ShAr", Reset, 4, true, true},
		{"reset in answer to data", threeWay + "0.1 > P. 1:11(10) ack 1\n0.15 < R 1:1(0)\n", "ShADr", Reset, 5, true, false},
		{"RST outside the window", threeWay + "0.1 > P. 1:11(10) ack 1 win 502\n0.15 < R. 900001:900001(0) ack 11\n", "ShADr", Established, 0, false, false},
		{"RST of the past", threeWay + "0.1 < P. 1:5001(5000) ack 1\n0.1 > . 1:1(0) ack 5001\n0.15 < R. 2:2(0) ack 1\n", "ShAdr", Established, 0, false, false},
		{"mid-stream", "0 > P. 1 ack 1 \"GET / HTTP/1.1\"\n", "D", Established, 0, false, false},
		{"the SYN is missing", "0 < S. 0:0(0) ack 1\n0 > . 1:1(0) ack 1\n", "hA", Established, 0, false, false},
		{"turned round", "0 > . 1:1(0) ack 1\n0.1 > P. 1 ack 1 \"HTTP/1.1 200 OK\"\n", "a^d", Established, 0, false, false},
		{"an old SYN strays in", "0 > S 90000000:90000000(0)\n0.1 > P. 1:11(10) ack 1\n0.2 < . 1:1(0) ack 11\n0.3 < P. 1:11(10) ack 11\n",
			"SDad", Established, 0, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, parse(t, tt.text), false)
			if r.State != tt.state || r.History != tt.history {
				t.Errorf("%v, history %s, want %v, %s", r.State, r.History, tt.state, tt.history)
			}
			if got := r.FirstCloseAt.Frame.Number(); got != tt.first || r.ClosedByRST != tt.rst {
				t.Errorf("first close at frame %d, by RST %v, want %d, %v", got, r.ClosedByRST, tt.first, tt.rst)
			}
			if got := r.Half[FromServer].RstActive; got != tt.active {
				t.Errorf("active RST of the server: %v, want %v", got, tt.active)
			}
		})
	}
}

func TestStrayedConnectionReadsOn(t *testing.T) {
	r := play(t, parse(t, `
0.0 > S  90000000:90000000(0) win 100
0.0 < .  1:1(0) ack 1
0.1 > P. 1 ack 1 "ask"
0.2 < P. 1 ack 4 "tell"`), false)
	if got := r.app.data[0].String() + "/" + r.app.data[1].String(); got != "ask/tell" || !r.MidStream {
		t.Errorf("got %q, mid-stream %v, want ask/tell, true", got, r.MidStream)
	}
}

func TestRoundTrips(t *testing.T) {
	r := play(t, parse(t, threeWay+`
0.050 > P. 1:101(100) ack 1 win 502
0.099 < .  1:1(0) ack 101 win 509
0.110 < .  1:1449(1448) ack 101 win 509
0.110 < .  1449:2897(1448) ack 101 win 509
0.111 > .  101:101(0) ack 2897 win 502
0.200 > P. 101:201(100) ack 2897 win 502
0.500 > P. 101:201(100) ack 2897 win 502
0.501 < .  2897:2897(0) ack 201 win 509`), false)
	ms := time.Millisecond
	server, client := r.Half[FromServer].RTT, r.Half[FromClient].RTT
	if server.Handshake != 50*ms || server.Min != 49*ms || server.Samples != 2 {
		t.Errorf("server %+v, want handshake 50ms, min 49ms, 2 samples: an answer to two copies measures nothing", server)
	}
	if client.Handshake != 0 || client.Min != 0 || client.Samples != 2 || client.Jitter > 100*time.Microsecond {
		t.Errorf("client %+v, want 2 samples from 0 to 1ms", client)
	}
	if got := r.RTTMin(); got != 49*ms {
		t.Errorf("RTTMin() = %v, want 49ms", got)
	}
}

func TestVantage(t *testing.T) {
	shift := func(client, server string) string {
		return "0.000 > S 0:0(0) win 64240 <mss 1460>\n" + server + " < S. 0:0(0) ack 1 <mss 1460>\n" + client + " > . 1:1(0) ack 1\n"
	}
	tests := []struct {
		name, text string
		want       Vantage
	}{
		{"client side", shift("+0.00002", "+0.03"), ClientSide},
		{"server side", shift("+0.03", "+0.00002"), ServerSide},
		{"middle", shift("+0.01", "+0.02"), Middle},
		{"loopback", shift("+0.00002", "+0.00001"), SameHost},
		{"nothing known", "0 > S 0:0(0)\n", VantageUnknown},
		{"the capture says so", "0 > S 0:0(0) out <mss 1460>\n+0.0001 < S. 0:0(0) ack 1 in\n+0.0001 > . 1:1(0) ack 1 out\n", ClientSide},
		{"offload", "0 > S 0:0(0) <mss 1460>\n+0.0002 < S. 0:0(0) ack 1 <mss 1460>\n+0.0002 > . 1:1(0) ack 1\n+0.1 < . 1:29201(29200) ack 1\n", ServerSide},
		{"checksums", "0 > S 0:0(0) badsum\n+0.0002 < S. 0:0(0) ack 1\n+0.0002 > . 1:1(0) ack 1 badsum\n", ClientSide},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(t, parse(t, tt.text), false).Vantage; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEffectiveMSS(t *testing.T) {
	tests := []struct {
		name, text string
		want       uint32
	}{
		{"options", "0 > S 0:0(0) <mss 1400>\n0 < S. 0:0(0) ack 1 <mss 1460>\n", 1400},
		{"timestamps", "0 > S 0:0(0) <mss 1460,TS val 1 ecr 0>\n0 < S. 0:0(0) ack 1 <mss 1460,TS val 1 ecr 1>\n", 1448},
		{"no option", "0 > S 0:0(0)\n0 < S. 0:0(0) ack 1 <mss 1460>\n", 536},
		{"mid-stream", "0 < . 1:1381(1380) ack 1\n0 < . 1381:2761(1380) ack 1\n", 1380},
		{"mid-stream, offload", "0 < . 1:14481(14480) ack 1\n", 1448},
		{
			"the path's MTU drops, the sender obeys",
			"0 > S 0:0(0) <mss 1460>\n0 < S. 0:0(0) ack 1 <mss 1460>\n0 < . 1:1461(1460) ack 1\n0 < icmp:3/4 1:1461(1460) mtu 1400 from 10.0.0.9\n0 < . 1:1361(1360) ack 1\n",
			1360,
		},
		{
			"the path's MTU drops, the sender obeys with offload",
			"0 > S 0:0(0) <mss 1460>\n0 < S. 0:0(0) ack 1 <mss 1460>\n0 < . 1:1461(1460) ack 1\n0 < icmp:3/4 1:1461(1460) mtu 1400 from 10.0.0.9\n0 < . 1:4081(4080) ack 1\n",
			1360,
		},
		{
			"the path's MTU drops, a small segment",
			"0 > S 0:0(0) <mss 1460>\n0 < S. 0:0(0) ack 1 <mss 1460>\n0 < . 1:1461(1460) ack 1\n0 < icmp:3/4 1:1461(1460) mtu 1400 from 10.0.0.9\n0 < P. 1461:1800(339) ack 1\n",
			1460,
		},
		{
			"the path's MTU drops, the sender does not heed it",
			"0 > S 0:0(0) <mss 1460>\n0 < S. 0:0(0) ack 1 <mss 1460>\n0 < . 1:1461(1460) ack 1\n0 < icmp:3/4 1:1461(1460) mtu 1400 from 10.0.0.9\n1 < . 1:1461(1460) ack 1\n",
			1460,
		},
		{
			"the other side is told",
			"0 > S 0:0(0) <mss 1460>\n0 < S. 0:0(0) ack 1 <mss 1460>\n0 > icmp:3/4 1:1(0) mtu 1400 from 10.0.0.9\n0 < . 1:1361(1360) ack 1\n",
			1460,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(t, parse(t, tt.text), false).Half[FromServer].Eff; got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestHopsWithoutResets takes no distance from RSTs where anything else shows it: others send them
// in a host's name.
func TestHopsWithoutResets(t *testing.T) {
	tests := []struct {
		name, text string
		low, high  uint8
	}{
		{"a RST before all else", "0 > S 0:0(0)\n0.1 < R. 0:0(0) ack 9 ttl 41\n0.2 < S. 0:0(0) ack 1 ttl 64\n0.3 < . 1:1(0) ack 1 ttl 63\n", 63, 64},
		{"a RST behind", threeWay + "0.1 < R. 1:1(0) ack 1 ttl 41\n", 64, 64},
		{"RSTs alone", "0 > S 0:0(0)\n0.1 < R. 0:0(0) ack 9 ttl 41\n0.2 < R. 0:0(0) ack 9 ttl 43\n", 41, 43},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := play(t, parse(t, tt.text), false).Half[FromServer]
			if h.TTLMin != tt.low || h.TTLMax != tt.high {
				t.Errorf("TTL %d to %d, want %d to %d", h.TTLMin, h.TTLMax, tt.low, tt.high)
			}
		})
	}
}
