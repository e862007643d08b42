package view

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/golden"
	"tcpwhy/output/page"
	"tcpwhy/reassembly/exchange"
)

// lose has a view take in a finding.
func lose(v *View, server, rule, title string, side report.Side, cost time.Duration) {
	at := func(ms, frame int) capture.Mark {
		return capture.Mark{Time: time.Duration(ms) * time.Millisecond, Frame: capture.NewFrameID(0, uint64(frame))}
	}
	v.Finding(&report.Finding{
		Rule: rule, Title: title, Side: side, Severity: report.High, Server: netip.MustParseAddrPort(server),
		Client: netip.MustParseAddr("10.0.0.9"), Host: "api.example", Cost: report.Cost{Expected: cost}, Within: cost,
		Message: "The client wrote the request in two pieces; its kernel held the second back until the server acknowledged the first, and the server did so 40 ms late.",
		Occurrences: []report.Occurrence{{
			Connection: 3, Exchange: 7, Start: 83 * time.Second, Cost: report.Cost{Expected: cost},
			Evidence: []report.Evidence{
				{Mark: at(83001, 411), Role: "first piece", Side: report.SideClient, Text: "190 octets of the request, PSH"},
				{Mark: at(83042, 412), Role: "late ACK", Side: report.SideServer, Text: "nothing but an acknowledgment, 40.8 ms after the first piece, which is how long Linux delays one"},
			},
		}},
	})
}

// sample is a view of three services, one of which loses much.
func sample() *View {
	v := New("eth0")
	for i, server := range []string{"10.0.0.1:8080", "10.0.0.2:443", "[2001:db8::17]:80"} {
		for k := range 40 * (i + 1) {
			x := &report.ExchangeInfo{Host: "shop.example", Status: 200, Outcome: exchange.Complete,
				Duration: time.Duration(k+1) * time.Millisecond}
			if k%10 == 9 {
				x.Status, x.Outcome = 503, exchange.Truncated
			}
			v.Exchange(netip.MustParseAddrPort(server), x)
		}
		v.Advance(int64(10 * i))
	}
	for range 9 {
		lose(v, "10.0.0.1:8080", "nagle-delayed-ack", "Nagle hold ended by a delayed ACK", report.SideClient, 40*time.Millisecond)
	}
	lose(v, "10.0.0.1:8080", "packet-loss", "lost segments were repeated", report.SideNetwork, 12*time.Millisecond)
	lose(v, "10.0.0.2:443", "server-think", "the server took its time", report.SideServer, 900*time.Millisecond)
	v.Advance(47)
	return v
}

// TestLines are the lines for where there is no terminal.
func TestLines(t *testing.T) {
	v := New("eth0")
	lose(v, "10.0.0.1:80", "nagle", "Nagle hold", report.SideClient, 300*time.Millisecond)
	if v.Advance(3) {
		t.Error("a slot is over after 3 s")
	}
	lose(v, "10.0.0.1:80", "slow-start", "slow start", report.SideServer, 100*time.Millisecond)
	if !v.Advance(11) {
		t.Error("no slot is over after 11 s")
	}
	lose(v, "10.0.0.1:80", "slow-start", "slow start", report.SideServer, time.Second)
	want := "eth0: 10.0.0.1:80 api.example: 400 ms lost in 10 s, mostly to nagle"
	if got := strings.Join(v.Lines(), "\n"); got != want {
		t.Errorf("lines %q, want %q", got, want)
	}
	v.Advance(20)
	if got := strings.Join(v.Lines(), "\n"); !strings.Contains(got, ": 1.00 s lost") {
		t.Errorf("after 20 s: %q", got)
	}
	v.Advance(1000)
	if lines := v.Lines(); lines != nil {
		t.Errorf("long after: %q", lines)
	}
}

// TestWindow: what is older than a minute no longer counts, but in the sum of all.
func TestWindow(t *testing.T) {
	v := New("eth0")
	for second := range int64(200) {
		v.Advance(second)
		lose(v, "10.0.0.1:80", "nagle", "Nagle hold", report.SideClient, time.Second)
		v.Exchange(netip.MustParseAddrPort("10.0.0.1:80"), &report.ExchangeInfo{Status: 200, Duration: 2 * time.Second})
		snap := v.Snapshot(&capture.Stats{})
		s := &snap.Services[0]
		if n := int64(s.Took.N); n != min(second+1, 50+second%10+1) || s.Lost != time.Duration(n)*time.Second {
			t.Fatalf("after %d s: %d exchanges, %v lost", second, n, s.Lost)
		}
		if s.All != int(second)+1 || s.AllLost != time.Duration(second+1)*time.Second || s.share() != 0.5 {
			t.Fatalf("after %d s: %d exchanges, %v lost, share %v", second, s.All, s.AllLost, s.share())
		}
		if r := s.rate(snap.Window); second > 5 && (r < 0.9 || r > 1.2) {
			t.Fatalf("after %d s: %v a second", second, r)
		}
	}
}

// TestShare: what lies between exchanges is no part of their time.
func TestShare(t *testing.T) {
	v := New("eth0")
	server := netip.MustParseAddrPort("10.0.0.1:80")
	v.Exchange(server, &report.ExchangeInfo{Duration: 4 * time.Second})
	for _, within := range []time.Duration{time.Second, 0} {
		v.Finding(&report.Finding{Rule: "dns", Server: server, Cost: report.Cost{Expected: 2 * time.Second}, Within: 2 * within,
			Occurrences: []report.Occurrence{{Cost: report.Cost{Expected: time.Second}}}})
	}
	s := &v.Snapshot(&capture.Stats{}).Services[0]
	if s.Lost != 2*time.Second || s.Time != 5*time.Second || s.share() != 0.4 {
		t.Errorf("lost %v of %v, %v", s.Lost, s.Time, s.share())
	}
}

// TestBounded meets more services than are remembered, and more statuses; the one that lost time
// stays.
func TestBounded(t *testing.T) {
	v := New("eth0")
	lose(v, "192.0.2.1:80", "nagle", "Nagle hold", report.SideClient, time.Second)
	for i := range 5000 {
		v.Exchange(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 80), &report.ExchangeInfo{})
		v.Exchange(netip.MustParseAddrPort("192.0.2.1:80"), &report.ExchangeInfo{Status: 100 + i%900})
	}
	if n := len(v.services); n > maxServices {
		t.Errorf("%d services", n)
	}
	snap := v.Snapshot(&capture.Stats{})
	at := -1
	for i := range snap.Services {
		if snap.Services[i].Server == netip.MustParseAddrPort("192.0.2.1:80") {
			at = i
		}
	}
	if at < 0 {
		t.Fatal("the service that lost time was forgotten")
	}
	sum := 0
	for _, s := range snap.Services[at].Statuses {
		sum += s.Count
	}
	if n := len(snap.Services[at].Statuses); n > maxListed+1 || sum != 5000 {
		t.Errorf("%d statuses, %d in all", n, sum)
	}
}

// text is a screen as it looks, styles before its lines.
func text(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s|%s\n", [...]string{" ", "#", ">", "*"}[l.Style], l.Text)
	}
	return b.String()
}

// TestScreens are the screens at two sizes.
func TestScreens(t *testing.T) {
	snap := sample().Snapshot(&capture.Stats{Frames: 1234567})
	screens := map[string][]string{
		"list": nil, "selected": {"down"}, "details": {"down", "enter"}, "help": {"h"},
		"paused by rate": {"s", "s", "p"}, "back": {"down", "enter", "esc", "esc"},
	}
	for _, size := range []Size{{Columns: 80, Rows: 24}, {Columns: 200, Rows: 50}, {Columns: 40, Rows: 10}, {Columns: 3, Rows: 1}} {
		for name, keys := range screens {
			t.Run(fmt.Sprintf("%s-%dx%d", strings.ReplaceAll(name, " ", "-"), size.Columns, size.Rows), func(t *testing.T) {
				var s State
				for _, key := range keys {
					if s.Key(key, snap) {
						t.Errorf("%s quits", key)
					}
				}
				lines := Lines(snap, &s, size)
				check(t, lines, size)
				if size.Columns >= 80 {
					golden.File(t, "testdata/"+strings.ReplaceAll(name, " ", "-")+fmt.Sprintf("-%d.txt", size.Columns), []byte(text(lines)))
				}
			})
		}
	}
}

// check looks whether lines fit a screen, and hold nothing that a terminal acts on.
func check(t *testing.T, lines []Line, size Size) {
	t.Helper()
	if len(lines) > size.Rows {
		t.Errorf("%d lines on %d rows", len(lines), size.Rows)
	}
	for _, l := range lines {
		if page.Cells(l.Text) > size.Columns {
			t.Errorf("%d cells: %q", page.Cells(l.Text), l.Text)
		}
		for _, r := range l.Text {
			if !unicode.IsPrint(r) || size.ASCII && r >= 0x80 {
				t.Errorf("%q in %q", r, l.Text)
			}
		}
	}
}

// TestHostile has names and messages hold what terminals act on, and secrets.
func TestHostile(t *testing.T) {
	v := New("eth\x1b]0;title\a0")
	server := netip.MustParseAddrPort("10.0.0.1:80")
	for _, host := range []string{"a\x1b[2Jb\r\n\u202ec", "user:s3cret@host.example"} {
		v.Exchange(server, &report.ExchangeInfo{Host: host, Target: "/x?token=s3cret", Duration: time.Second})
		v.Finding(&report.Finding{Rule: "nagle", Title: "T\x9b31m", Server: server, Host: host, Message: "m\x1b[31m",
			Occurrences: []report.Occurrence{{Evidence: []report.Evidence{{Role: "r\x00", Text: "t\x7f"}}}}})
		snap := v.Snapshot(&capture.Stats{})
		for _, keys := range []string{"", "enter", "down"} {
			var s State
			s.Key(keys, snap)
			lines := Lines(snap, &s, Size{Columns: 120, Rows: 30, ASCII: true})
			check(t, lines, Size{Columns: 120, Rows: 30, ASCII: true})
			if strings.Contains(text(lines), "s3cret") {
				t.Errorf("a secret: %s", text(lines))
			}
		}
	}
}

// TestKeys plays keys.
func TestKeys(t *testing.T) {
	v := sample()
	snap := v.Snapshot(&capture.Stats{})
	first := func(s *State) string { return s.sorted(snap)[s.at(s.sorted(snap))].Server.String() }
	var s State
	for _, step := range []struct{ key, want string }{
		{"x", "10.0.0.2:443"}, {"down", "10.0.0.1:8080"}, {"s", "10.0.0.1:8080"}, {"end", "[2001:db8::17]:80"},
		{"up", "10.0.0.2:443"}, {"pageup", "10.0.0.1:8080"}, {"esc", "10.0.0.1:8080"}, {"S", "10.0.0.2:443"},
	} {
		if s.Key(step.key, snap); first(&s) != step.want {
			t.Errorf("after %s: %s, want %s", step.key, first(&s), step.want)
		}
	}
	s.Key("p", snap)
	v.Exchange(netip.MustParseAddrPort("10.0.0.77:80"), &report.ExchangeInfo{})
	later := v.Snapshot(&capture.Stats{})
	if got := text(Lines(later, &s, Size{Columns: 80, Rows: 24})); strings.Contains(got, "10.0.0.77") || !strings.Contains(got, "PAUSED") {
		t.Errorf("paused: %s", got)
	}
	s.Key("p", later)
	if got := text(Lines(later, &s, Size{Columns: 80, Rows: 24})); !strings.Contains(got, "10.0.0.77") {
		t.Errorf("going on: %s", got)
	}
	if s.Key("h", snap); s.Key("j", snap) || s.help || !s.Key("q", snap) {
		t.Error("help does not end, or q does not quit")
	}
	var none State
	empty := New("eth0").Snapshot(&capture.Stats{})
	for _, key := range []string{"down", "enter", "end", "esc", "s", "p", "up"} {
		none.Key(key, empty)
		check(t, Lines(empty, &none, Size{Columns: 80, Rows: 24}), Size{Columns: 80, Rows: 24})
	}
}

// TestManyServices scrolls through more services than there are rows.
func TestManyServices(t *testing.T) {
	v := New("eth0")
	for i := range 300 {
		v.Exchange(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), uint16(80+i)), &report.ExchangeInfo{Duration: time.Second})
	}
	snap := v.Snapshot(&capture.Stats{})
	var s State
	for range 300 {
		s.Key("down", snap)
		lines := Lines(snap, &s, Size{Columns: 80, Rows: 24})
		check(t, lines, Size{Columns: 80, Rows: 24})
		selected := 0
		for _, l := range lines {
			if l.Style == Selected {
				selected++
			}
		}
		if selected != 1 || len(lines) != 24 {
			t.Fatalf("%d lines, %d selected", len(lines), selected)
		}
	}
}
