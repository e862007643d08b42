package tcptext

import (
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
)

func TestParse(t *testing.T) {
	segs, err := Parse(`
client 192.0.2.1:1234 isn 4294967295
server 192.0.2.2:80 isn 7
0.000 > S  0:0(0) win 64240 <mss 1460,nop,sackOK,TS val 5 ecr 0,wscale 7> ttl 60   the first
+0.010 < S. 0:0(0) ack 1 win 65160 <mss 1400>
+0.010 > P. 1 ack 1 "a \"b\"\r\n" id 9 out   # said
+0.010 < .  1:1449(1448) ack 8 snap 20 <sack 3:5,nop,nop>
0.100 < .  1449 ack 8 y*3 badsum in iface 2
0.200 < icmp:3/4 1:1(0) mtu 1400 from 192.0.2.9   // no route
`)
	if err != nil {
		t.Fatal(err)
	}
	if len(segs) != 6 {
		t.Fatalf("%d segments, want 6", len(segs))
	}
	syn, ask, cut, last, icmp := segs[0], segs[2], segs[3], segs[4], segs[5]
	if syn.Seq != 4294967295 || syn.Flags != capture.SYN || syn.MSS != 1460 || syn.WScale != 7 || syn.TSVal != 5 || syn.TTL != 60 ||
		syn.Options != capture.HasMSS|capture.HasSACKPerm|capture.HasTS|capture.HasWScale || syn.Window != 64240 {
		t.Errorf("SYN is %+v", syn)
	}
	if ask.Seq != 0 || ask.Ack != 8 || string(ask.Payload) != "a \"b\"\r\n" || ask.Len != 7 || ask.IPID != 9 || ask.Time != 20*time.Millisecond ||
		!ask.Options.Has(capture.Outgoing|capture.HasIPID) || ask.Frame.Number() != 3 || ask.Flags != capture.PSH|capture.ACK {
		t.Errorf("request is %+v", ask)
	}
	if cut.Len != 1448 || len(cut.Payload) != 20 || !cut.Options.Has(capture.Snapped) || cut.NSACK != 1 || cut.SACK[0] != (capture.SACKBlock{Start: 2, End: 4}) {
		t.Errorf("cut segment is %+v", cut)
	}
	if string(last.Payload) != "yyy" || last.Seq != 7+1449 || last.Iface != 2 || !last.Options.Has(capture.BadChecksum|capture.Incoming) {
		t.Errorf("last segment is %+v", last)
	}
	if icmp.Kind != capture.ICMPError || icmp.ICMP.Type != 3 || icmp.ICMP.Code != 4 || icmp.ICMP.MTU != 1400 || icmp.ICMP.From.String() != "192.0.2.9" || icmp.Src != segs[1].Src {
		t.Errorf("ICMP error is %+v", icmp)
	}
}

func TestMistakes(t *testing.T) {
	for line, want := range map[string]string{
		"0.1 >":                "needs a time",
		"x > S 0:0(0)":         "no time",
		"0.1 = S 0:0(0)":       "neither > nor <",
		"0.1 > Q 0:0(0)":       "unknown flag",
		"0.1 > S":              "sequence number is missing",
		"0.1 > S 0:5(0)":       "does not fit",
		"0.1 > S 0:0(0) wim 5": "unknown word",
		"0.1 > S 0:0(0) win":   "unknown word",
		"0.1 > S 0:0(0) win x": "no number",
		"0.1 > S 0:0(0) <mss>": "not understood",
		"0.1 > . 0:0(0) <sack 1:2 3:4 5:6 7:8,sack 1:2>": "not understood",
		"0.1 > S 0:0(0) <mss 5":                          "not closed",
		"0.1 > P 0 \"abc":                                "not closed",
		"0.1 > P 0:4(4) \"abc\"":                         "length of 4",
		"0.1 > P 0 x*9999999999":                         "no filler",
		"client":                                         "address is missing",
		"client 1.2.3.4:5 isn 6 and more":                "only isn",
	} {
		if _, err := Parse("\n" + line); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: error %v, want line 2 and %q", line, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0.1 > S 0:0(0) win 5 <mss 5,sack 1:2>\n+1 < P. 1 \"x\" y*3  said")
	f.Fuzz(func(t *testing.T, text string) {
		segs, err := Parse(text)
		if err != nil {
			return
		}
		for i := range segs {
			if int(segs[i].Len) < len(segs[i].Payload) || segs[i].NSACK > 4 {
				t.Errorf("segment %d: %+v", i, segs[i])
			}
		}
	})
}
