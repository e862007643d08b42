package reassembly

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tcpwhy/capture"
)

// A connection that is opened, used and closed within 0.2 s. %d in later tests is the time.
const closed = `
+0.00 > S  0:0(0)
+0.01 < S. 0:0(0) ack 1
+0.01 > .  1:1(0) ack 1
+0.01 > P. 1 ack 1 "ask"
+0.01 < P. 1 ack 4 "tell"
+0.01 > F. 4:4(0) ack 5
+0.01 < F. 5:5(0) ack 5
+0.01 > .  5:5(0) ack 6`

// TestNumbers compares with tshark 4.0: each want was seen as tcp.stream of a capture with the same
// segments.
func TestNumbers(t *testing.T) {
	const second = "\nclient 10.0.0.1:40001 isn 1\n+1 > S 0:0(0)"
	tests := []struct{ name, text, want string }{
		{"reuse", closed + "\nclient 10.0.0.1:40000 isn 70000" + closed + second, "0000000011111111" + "2"},
		{"the same number again", closed + closed, "0000000000000000"},
		{"an old SYN in a live connection", "+0 > S 0:0(0)\n+0 < S. 0:0(0) ack 1\n+0 > S 77:77(0)\n+0 < . 1:1(0) ack 1\n+0 > S 0:0(0)" + second, "001123"},
		{"SYN after mid-stream", "+0 > P. 1 ack 1 \"x\"\n+0 > S 500:500(0)" + second, "012"},
		{"SYN that came late", "+0 > P. 1 ack 1 \"x\"\n+0 > S 0:0(0)\n+0 < S 0:0(0)" + second, "0001"},
		{"simultaneous open", "+0 > S 0:0(0)\n+0 < S 0:0(0)\n+0 > S. 0:0(0) ack 1\n+0 < S. 0:0(0) ack 1" + second, "00001"},
		{"another SYN-ACK", "+0 > S 0:0(0)\n+0 < S. 0:0(0) ack 1\n+0 < S. 30:30(0) ack 1" + second, "0001"},
		{"RST first", "+0 > R 10:10(0)\n+0 > S 9:9(0)\n+0 > S 10:10(0)\n+0 < R. 0:0(0) ack 11\n+0 > S 10:10(0)" + second, "001112"},
		{"ICMP error about nothing known", "+0 > icmp:3/1 0:0(0)" + second, "-0"},
		{"ICMP error about a known connection", "+0 > S 0:0(0)\n+0 > icmp:3/1 0:0(0)" + second, "001"},
		{"late, without data", closed + "\n+100 < F. 5:5(0) ack 5" + second, "00000000-1"},
		{"late, with data", closed + "\n+100 < P. 5 ack 5 \"x\"" + second, "0000000001"},
		{"forgotten", closed + "\n+700 < P. 5 ack 5 \"x\"" + second, "0000000012"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := NewTable(TableLimits{})
			var got strings.Builder
			segs := parse(t, tt.text)
			for i := range segs {
				if c, _, _ := table.Assign(&segs[i], segs[i].Time); c != nil {
					got.WriteByte(byte('0' + c.ID))
				} else {
					got.WriteByte('-')
				}
			}
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got.String(), tt.want)
			}
		})
	}
}

// TestOver looks at when connections are over. Looking before, as a live capture does, changes
// nothing.
func TestOver(t *testing.T) {
	const open = "+0 > S 0:0(0)\n+0.1 < S. 0:0(0) ack 1\n+0 > . 1:1(0) ack 1\n"
	tests := []struct {
		name, text string
		after      time.Duration // its last segment
	}{
		{"closed by both", closed, idleDone},
		{"closed by both, a copy after it", closed + "\n+0.3 < F. 5:5(0) ack 5", idleDone},
		{"the last FIN is not acknowledged", open + "+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 2", idleClosed},
		{"refused", "+0 > S 0:0(0)\n+0 < R. 0:0(0) ack 1", idleDone},
		{"reset, nothing under way", open + "+0 > P. 1 ack 1 \"ask\"\n+0 < . 1:1(0) ack 4\n+1 < R. 1:1(0) ack 4", idleDone},
		{"reset, data under way", open + "+0 > P. 1 ack 1 \"ask\"\n+0 > P. 4 ack 1 \"more\"\n+0 < R. 1:1(0) ack 4", idleClosed},
		{"data after the reset", open + "+0 < R. 1:1(0) ack 1\n+0.1 > P. 1 ack 1 \"ask\"", idleClosed},
		{"idle", open, idleOpen},
	}
	for _, tt := range tests {
		for _, looks := range []int{0, 1, 5} {
			table := NewTable(TableLimits{})
			segs := parse(t, tt.text+"\nclient 10.0.0.9:1 isn 1\n+3000 > S 0:0(0)\n+3000 > S 0:0(0)\n+3000 > S 0:0(0)")
			last := segs[len(segs)-4].Time
			var over []time.Duration
			take := func() {
				for c, at, _ := table.Over(); c != nil; c, at, _ = table.Over() {
					if c.ID == 0 { // not that of the client that makes time go on
						over = append(over, at)
					}
				}
			}
			for i := range segs {
				if i == len(segs)-3 {
					for look := range looks {
						table.Settle(last + tt.after/2*time.Duration(look))
						take()
					}
				}
				table.Assign(&segs[i], segs[i].Time)
				take()
			}
			if len(over) != 1 || over[0]-last != tt.after {
				t.Errorf("%s, looked at %d times: over at %v, last segment at %v, want %v later", tt.name, looks, over, last, tt.after)
			}
		}
	}
}

// TestCopiesAfterTheEnd: data that comes again soon after all was acknowledged begins nothing.
func TestCopiesAfterTheEnd(t *testing.T) {
	table := NewTable(TableLimits{})
	segs := parse(t, closed+"\n+1 < PF. 1 ack 5 \"tell\"")
	for i := range segs {
		c, _, _ := table.Assign(&segs[i], segs[i].Time)
		if late := i == len(segs)-1; late != (c == nil) {
			t.Errorf("segment %d belongs to %v", i, c)
		}
	}
	if table.Late() != 1 {
		t.Errorf("%d late", table.Late())
	}
}

func TestReuseIsTold(t *testing.T) {
	r := play(t, parse(t, closed+"\nclient 10.0.0.1:40000 isn 70000\n+3 > S 0:0(0)"), false)
	if len(r.all) != 2 || r.all[0].Reuses != -1 {
		t.Fatalf("%d connections, the first reuses %d, want 2 and -1", len(r.all), r.all[0].Reuses)
	}
	if c := r.all[1]; c.Reuses != 0 || c.ReusesEnd != r.all[0].End.Time {
		t.Errorf("reuses %d, ended %v, want 0, %v", c.Reuses, c.ReusesEnd, r.all[0].End.Time)
	}
}

func TestOrientation(t *testing.T) {
	tests := []struct{ name, text, client string }{
		{"SYN", "0 < S 0:0(0)", "10.0.0.2:80"},
		{"SYN-ACK", "0 > S. 0:0(0) ack 1", "10.0.0.2:80"},
		{"well-known port", "0 < . 1:1(0) ack 1", "10.0.0.1:40000"},
		{"common server port", "server 10.0.0.2:8080\n0 < . 1:1(0) ack 1", "10.0.0.1:40000"},
		{"higher port", "server 10.0.0.2:39000\n0 < . 1:1(0) ack 1", "10.0.0.1:40000"},
		{"request", "0 < P. 1 ack 1 \"GET / HTTP/1.1\"", "10.0.0.2:80"},
		{"response", "0 > P. 1 ack 1 \"HTTP/1.1 200 OK\"", "10.0.0.2:80"},
		{"ClientHello", `0 < P. 1 ack 1 "\x16\x03\x01\x00\x50\x01"`, "10.0.0.2:80"},
		{"data turns it round", "0 > . 1:1(0) ack 1\n0.1 > P. 1 ack 1 \"HTTP/1.1 200 OK\"", "10.0.0.2:80"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, parse(t, tt.text), false)
			if got := r.Client.String(); got != tt.client {
				t.Errorf("client is %s, want %s", got, tt.client)
			}
		})
	}
}

// flood sends one segment on each of n tuples, a millisecond apart.
func flood(table *Table, n int, flags capture.TCPFlags) (over int) {
	for i := range n {
		seg := capture.Segment{
			Src: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1234),
			Dst: netip.MustParseAddrPort("192.0.2.1:80"), Flags: flags, Len: 1,
		}
		seg.Time = time.Duration(i) * time.Millisecond
		table.Assign(&seg, seg.Time)
		for c, _, _ := table.Over(); c != nil; c, _, _ = table.Over() {
			over++
		}
	}
	return over
}

func TestCaps(t *testing.T) {
	limits := TableLimits{Open: 1000, Embryos: 100, Finished: 50}
	t.Run("SYN flood", func(t *testing.T) {
		table := NewTable(limits)
		over := flood(table, 5000, capture.SYN)
		if table.Open() > 101 || table.used > 300 || over+table.Open() != 5000 || table.Evicted() != uint64(over) {
			t.Errorf("%d open, %d entries, %d over, %d evicted", table.Open(), table.used, over, table.Evicted())
		}
	})
	t.Run("open connections", func(t *testing.T) {
		table := NewTable(limits)
		over := flood(table, 5000, capture.ACK)
		if table.Open() > 1001 || table.used > 1200 || over+table.Open() != 5000 {
			t.Errorf("%d open, %d entries, %d over", table.Open(), table.used, over)
		}
	})
	t.Run("idle connections go", func(t *testing.T) {
		table := NewTable(TableLimits{})
		flood(table, 1000, capture.ACK)
		for _, seg := range parse(t, "2500 > S 0:0(0)\n5000 > S 0:0(0)\n7300 > S 0:0(0)") {
			table.Assign(&seg, seg.Time)
		}
		if table.Open() != 1 || table.Evicted() != 0 {
			t.Errorf("%d open, %d evicted, want 1, 0", table.Open(), table.Evicted())
		}
	})
}

// TestTableAgainstMap holds the hash table to a map while connections come and go.
func TestTableAgainstMap(t *testing.T) {
	table := NewTable(TableLimits{Open: 500, Finished: 200})
	x := uint32(1)
	for i := range 60000 {
		x = x*1664525 + 1013904223
		seg := capture.Segment{
			Src: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(x >> 30)}), uint16(x>>16)%2000),
			Dst: netip.MustParseAddrPort("192.0.2.1:80"), Flags: capture.ACK, Len: 1,
		}
		seg.Time = time.Duration(i) * time.Millisecond
		table.Assign(&seg, seg.Time)
		for c, _, _ := table.Over(); c != nil; c, _, _ = table.Over() {
		}
	}
	used := 0
	for i := range table.used {
		if e := table.at(i); e.list != listFree {
			used++
			if table.find(&e.key, e.hash) != int32(i) {
				t.Fatalf("entry %d is not found", i)
			}
		}
	}
	slots := 0
	for _, s := range table.slots {
		if s != 0 {
			slots++
		}
	}
	if used != slots || used != table.Open()+table.count[listFinished] || used > 702 {
		t.Errorf("%d entries used, %d slots, %d counted", used, slots, table.Open()+table.count[listFinished])
	}
}
