package keylog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// line is one of a key log. The secret is 32 or 48 times the same octet.
func line(label string, random byte, secret byte, n int) string {
	name := strings.Repeat(fmt.Sprintf("%02x", random), 32)
	return label + " " + name + " " + strings.Repeat(fmt.Sprintf("%02X", secret), n) + "\n"
}

// random is a client random of one octet, repeated.
func random(octet byte) (r Random) {
	for i := range r {
		r[i] = octet
	}
	return r
}

func TestParse(t *testing.T) {
	var s *Secrets
	s = s.With([]byte("# comment\r\n" +
		line("CLIENT_RANDOM", 1, 'a', 48) +
		strings.ReplaceAll(line("CLIENT_TRAFFIC_SECRET_0", 2, 'b', 32), "\n", "\r\n") +
		line("SERVER_TRAFFIC_SECRET_0", 2, 'c', 48) +
		line("EXPORTER_SECRET", 3, 'd', 32) +
		line("CLIENT_RANDOM", 4, 'e', 47) +
		"CLIENT_RANDOM 00 11\nCLIENT_RANDOM\n" +
		"CLIENT_RANDOM " + strings.Repeat("zz", 32) + " " + strings.Repeat("00", 48) + "\n" +
		strings.TrimSuffix(line("CLIENT_RANDOM", 5, 'f', 48), "\n")))
	for _, tt := range []struct {
		random byte
		label  Label
		want   string
		n      int
	}{
		{1, MasterSecret, "a", 48},
		{2, ClientApplicationSecret, "b", 32},
		{2, ServerApplicationSecret, "c", 48},
		{2, MasterSecret, "", 0}, {5, MasterSecret, "f", 48},
	} {
		got := s.Of(random(tt.random), tt.label)
		var want []string
		if tt.n > 0 {
			want = append(want, strings.Repeat(tt.want, tt.n))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d, %d: %q", tt.random, tt.label, got)
		}
	}
	for octet, want := range []bool{1: true, 2: true, 5: true, 6: false} {
		if got := s.Has(random(byte(octet))); got != want {
			t.Errorf("has %d: %v, want %v", octet, got, want)
		}
	}
}

func TestTheLastTwoAreKept(t *testing.T) {
	var s *Secrets
	for _, secret := range "abcb" {
		s = s.With([]byte(line("CLIENT_RANDOM", 1, byte(secret), 48)))
	}
	got := s.Of(random(1), MasterSecret)
	if len(got) != 2 || got[0][0] != 'c' || got[1][0] != 'b' {
		t.Errorf("got %q, want c and b", got)
	}
}

// TestSecretsNeverChange adds lines one by one: each of the values made on the way knows what was
// added before it, and nothing else, and has few layers. 27 logs of nine connections each is as
// many as a random of one octet tells apart.
func TestSecretsNeverChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := []*Secrets{nil}
		for _, n := range rapid.SliceOfN(rapid.IntRange(1, 9), 1, 27).Draw(rt, "lines") {
			log := ""
			for i := range n {
				log += line("CLIENT_RANDOM", byte(9*len(all)+i), 'x', 48)
			}
			all = append(all, all[len(all)-1].With([]byte(log)))
		}
		for i, s := range all {
			for j := range all {
				want := j > 0 && j <= i
				if got := s.Has(random(byte(9 * j))); got != want {
					rt.Fatalf("the value after %d logs has %d: %v", i, j, got)
				}
			}
			if s != nil && len(s.layers) > 8 {
				rt.Fatalf("%d layers", len(s.layers))
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(line("CLIENT_RANDOM", 1, 'a', 48)))
	f.Add([]byte("# \r\n" + line("SERVER_HANDSHAKE_TRAFFIC_SECRET", 1, 'a', 32) + "x"))
	f.Fuzz(func(t *testing.T, log []byte) {
		var tally Tally
		for r, list := range tally.parse(log).of {
			for _, one := range list {
				if !one.label.fits(len(one.octets)) {
					t.Errorf("%x: %q", r, one.octets)
				}
			}
			if len(list) > kept*int(labels) {
				t.Errorf("%x: %d secrets", r, len(list))
			}
		}
	})
}

// BenchmarkGrow adds one line at a time, as a capture may that has many blocks of secrets.
func BenchmarkGrow(b *testing.B) {
	for b.Loop() {
		var s *Secrets
		for i := range 10_000 {
			s = s.With([]byte(fmt.Sprintf("CLIENT_RANDOM %064x %096x\n", i, i)))
		}
	}
}

func TestTally(t *testing.T) {
	s := (*Secrets)(nil).With([]byte("# comment\n\n" + line("CLIENT_RANDOM", 1, 'a', 48) +
		line("EXPORTER_SECRET", 1, 'a', 32) + line("CLIENT_RANDOM", 1, 'a', 47) +
		"-----BEGIN PRIVATE KEY-----\n" + "RSA 0011 2233\n"))
	if got, want := s.Tally(), (Tally{Used: 1, Ignored: 2, Bad: 2}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestTheOldestGo has more connections than are kept.
func TestTheOldestGo(t *testing.T) {
	var s *Secrets
	for i := range byte(200) {
		s = s.With([]byte(line("CLIENT_RANDOM", i, i, 48) + line("CLIENT_RANDOM", i, i+1, 48)))
		s.bound(50, 1<<20)
	}
	count := 0
	for range s.Masters() {
		count++
	}
	if count < 80 || count > 100 || !s.Has(random(199)) || s.Has(random(100)) {
		t.Errorf("%d secrets, the last: %v, an old one: %v", count, s.Has(random(199)),
			s.Has(random(100)))
	}
	if got := s.Tally().Dropped; got != uint64(200-count/2) {
		t.Errorf("%d dropped, with %d left", got, count/2)
	}
	s.bound(50, 20*(connectionCost+2*(secretCost+48)))
	if s.Has(random(180)) || !s.Has(random(190)) {
		t.Error("what is kept in octets is not bounded")
	}
}

func TestMasters(t *testing.T) {
	var s *Secrets
	for i := range byte(20) {
		s = s.With([]byte(line("CLIENT_RANDOM", i, i, 48) +
			line("CLIENT_TRAFFIC_SECRET_0", i, i, 48)))
	}
	next := byte(19)
	for master := range s.Masters() {
		if master[0] != next {
			t.Fatalf("%d, want %d", master[0], next)
		}
		next--
	}
	if next != 255 {
		t.Errorf("they end behind %d", next)
	}
}

// TestMillion reads a log of as many lines as a proxy writes in a day, in pieces.
func TestMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var s *Secrets
	var log []byte
	for i := range 1_000_000 {
		log = fmt.Appendf(log, "CLIENT_RANDOM %064x %096x\n", i, i)
		if len(log) > 4<<20 {
			s, log = s.With(log), log[:0]
		}
	}
	s = s.With(log)
	cost := 0
	for _, l := range s.layers {
		cost += l.cost
	}
	if cost > maxOctets || s.Tally().Used != 1_000_000 || s.Tally().Dropped == 0 {
		t.Errorf("%d octets, %+v", cost, s.Tally())
	}
}

// TestLogInPieces writes a log octet by octet: lines count when they have ended.
func TestLogInPieces(t *testing.T) {
	var l Log
	w := l.Writer()
	log := line("CLIENT_RANDOM", 1, 'a', 48) + strings.Repeat("x", 2*maxLine) + "\n" +
		strings.TrimSuffix(line("CLIENT_RANDOM", 2, 'b', 48), "\n")
	for i := range log {
		if _, err := w.Write([]byte(log[i : i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Secrets(); !s.Has(random(1)) || s.Has(random(2)) {
		t.Errorf("first %v, second %v", s.Has(random(1)), s.Has(random(2)))
	}
	w.End()
	if s := l.Secrets(); !s.Has(random(2)) || s.Tally().Bad != 1 {
		t.Errorf("second %v, %+v", s.Has(random(2)), s.Tally())
	}
}
