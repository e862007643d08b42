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
		for r, list := range parse(log) {
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
