package analysis

import (
	"testing"

	"tcpwhy/analysis/report"
)

// What is said of some connections must not depend on others that have nothing to do with them.

// strangers are a client and a server of their own that exchange something every so often.
func strangers(from, to, every float64) *talk {
	k := newTalk(50000)
	k.lines = []string{"client 10.9.0.1:50000 isn 77", "server 10.9.0.2:80 isn 99"}
	k.open(from, 0.001)
	for at := from + 0.01; at < to; at += every {
		k.exchange(at, 0.0005, getA, ok)
	}
	return k
}

// lateTalk is a connection whose SYNs go out at the given times, of which the last is answered.
func lateTalk(port int, rtt float64, syns ...float64) *talk {
	k := newTalk(port)
	for _, at := range syns {
		k.line("%.6f > S 0:0(0) <mss 1460,sackOK,wscale 7>", at)
	}
	at := syns[len(syns)-1] + rtt
	k.line("%.6f < S. 0:0(0) ack 1 <mss 1460,sackOK,wscale 7>", at).
		line("%.6f > . 1:1(0) ack 1", at+0.00001)
	return k.exchange(at+0.0001, rtt, getA, ok)
}

// overflow is three connections that a full queue delays, one of them for long, and others that the
// server answers meanwhile.
func overflow() []*talk {
	const rtt = 0.02
	served := newTalk(41000).open(0, rtt)
	for i := range 8 {
		served.exchange(0.1+float64(i)*0.9, rtt, getB, ok)
	}
	return []*talk{
		served,
		lateTalk(40000, rtt, 0.20, 1.2),
		lateTalk(40001, rtt, 0.21, 1.21),
		lateTalk(40002, rtt, 0.22, 1.22, 3.22, 7.22),
	}
}

// busy are many clients' worth of answers of the same server.
func busy(from, to float64) *talk {
	k := newTalk(42000).open(from, 0.02)
	for at := from + 0.1; at < to; at += 0.04 {
		k.exchange(at, 0.02, getB, ok)
	}
	return k
}

// pause is the silence of a pool after which a server closes connections that it kept before, in
// the middle of which a request comes.
func pause(silence float64) []*talk {
	const rtt = 0.02
	var talks []*talk
	for i := range 3 {
		at := float64(i) * 0.01
		talks = append(talks,
			newTalk(40000+i).open(at, rtt).exchange(at+rtt+0.0005, rtt, getA, ok).bye(at+0.5, rtt))
	}
	for i := range 3 {
		at := silence + float64(i)*0.2
		k := newTalk(40010+i).open(at, rtt).exchange(at+rtt+0.0005, rtt, getA, closing)
		talks = append(talks, k.serverFin(at+0.042).ack(at+0.0421).clientFin(at+0.0422))
	}
	return talks
}

// filtered are attempts to reach a server that does not answer but does much later.
func filtered() []*talk {
	return []*talk{
		newTalk(40000).line("0 > S 0:0(0)").line("1 > S 0:0(0)").line("3 > S 0:0(0)"),
		newTalk(40001).line("0.5 > S 0:0(0)").line("1.5 > S 0:0(0)").line("3.5 > S 0:0(0)"),
		newTalk(40002).open(150.7, 0.02).exchange(151, 400, getA, ok),
	}
}

// refusedElsewhere is a stranger's attempt that is refused.
func refusedElsewhere(at float64) *talk {
	k := newTalk(50001)
	k.lines = []string{"client 10.9.0.3:50001 isn 77", "server 10.9.0.4:80 isn 99"}
	return k.line("%.6f > S 0:0(0)", at).line("%.6f < R. 0:0(0) ack 1 win 0", at+0.001)
}

func TestStrangersChangeNothing(t *testing.T) {
	for _, tt := range []struct {
		name   string
		own    []*talk
		others []*talk
		want   string
	}{
		{"an overflow beside others", overflow(), []*talk{strangers(0, 30, 0.3)}, "syn-retransmission/backlog-overflow×3:high"},
		{"an overflow of a busy server", append(overflow(), busy(0.3, 15)), []*talk{strangers(0, 30, 0.3)},
			"syn-retransmission/backlog-overflow×3:high"},
		{"an overflow before the server was busy", append(overflow(), busy(0.3, 60)), nil, "syn-retransmission/backlog-overflow×3:high"},
		{"a pool that is silent for longer than anything counts", pause(200), []*talk{strangers(1, 199, 0.03)},
			"missed-reuse/response-close×2:high"},
		{"a pool that is silent for a while", pause(70), []*talk{strangers(1, 69, 0.01)},
			"missed-reuse/some-responses-close×2:high"},
		{"a failure that was over earlier, but known later", filtered(), []*talk{refusedElsewhere(148)},
			"connection-refused/filtered×2:high"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := foundBy(connReport(t, tt.own...)); got != tt.want {
				t.Errorf("alone %q, want %q", got, tt.want)
			}
			r := connReport(t, append(tt.own, tt.others...)...)
			own := &report.Report{}
			for _, f := range r.Findings {
				if f.Client.String() == "10.0.0.1" {
					own.Findings = append(own.Findings, f)
				}
			}
			if got := foundBy(own); got != tt.want {
				t.Errorf("beside others %q, want %q", got, tt.want)
			}
		})
	}
}
