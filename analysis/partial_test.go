package analysis

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
)

// partOf is what is known of some connections after an analysis.
func partOf(t testing.TB, by PartBy, file string, opts ...Option) *Partial {
	t.Helper()
	src, err := capture.Open(capture.Config{Inputs: []string{file},
		Start: func(first time.Time) time.Time { return first.Truncate(24 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if by.Target == nil {
		by.Target = func(s string) string { target, _, _ := strings.Cut(s, "?"); return target }
	}
	if by.Host == nil {
		by.Host = func(s string) string { return s }
	}
	p := &Partial{}
	opts = append(opts, WithPartial(p, by))
	if _, err := Run(t.Context(), src, opts...); err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	aPart    = "../testdata/pcaps/cork-kept-rtt10/capture.pcap"
	samePart = "../testdata/pcaps/cork-kept-rtt10/capture.pcap"
	another  = "../testdata/pcaps/nagle-delayed-ack-request-rtt10/capture.pcap"
)

// TestPartsThatDoNotFit: what cannot be one is refused, and stays as it was.
func TestPartsThatDoNotFit(t *testing.T) {
	p := partOf(t, PartBy{}, aPart)
	before := octetsOf(t, p)
	for _, tt := range []struct {
		name string
		q    *Partial
		want error
	}{
		{"the same recording", partOf(t, PartBy{}, samePart), ErrOverlap},
		{"of another program", partOf(t, PartBy{Program: "x"}, another), ErrMismatch},
		{"of another filter", partOf(t, PartBy{Filter: "port 80"}, another), ErrMismatch},
		{"of other rules", partOf(t, PartBy{}, another, WithRules([]string{"cork"}, nil)), ErrMismatch},
		{"of other limits", partOf(t, PartBy{}, another, WithLimits(Limits{Listed: 7})), ErrMismatch},
		{"of nothing", &Partial{}, ErrNoPartial},
	} {
		if err := p.Merge(tt.q); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if !bytes.Equal(octetsOf(t, p), before) {
			t.Errorf("%s: the part has changed", tt.name)
		}
	}
}

// TestPartsOfOneHost: what hosts have in several parts was not compared, and the report counts it.
func TestPartsOfOneHost(t *testing.T) {
	p, q := partOf(t, PartBy{}, aPart), partOf(t, PartBy{}, another)
	q.stats.Start = p.stats.Start
	if err := p.Merge(q); err != nil {
		t.Fatal(err)
	}
	r, err := p.Report(report.Info)
	if err != nil {
		t.Fatal(err)
	}
	var told *report.Caveat
	for i := range r.Caveats {
		if r.Caveats[i].Code == "parts-not-compared" {
			told = &r.Caveats[i]
		}
	}
	if told == nil || told.Count != uint64(r.Connections) || len(told.Weakens) == 0 || r.Parts != 2 {
		t.Errorf("of %d parts with %d connections: %+v", r.Parts, r.Connections, told)
	}
}

func octetsOf(t testing.TB, p *Partial) []byte {
	t.Helper()
	octets, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// TestDamagedPart: a part that was cut, or changed in any octet, is refused.
func TestDamagedPart(t *testing.T) {
	whole := octetsOf(t, partOf(t, PartBy{Program: "tcpwhy 1"}, aPart))
	var p Partial
	for n := 0; n < len(whole); n += 1 + len(whole)/200 {
		want := ErrDamaged
		if n < len(PartialMark) {
			want = ErrNoPartial
		}
		if err := p.UnmarshalBinary(whole[:n]); !errors.Is(err, want) {
			t.Errorf("%d octets of %d: %v, want %v", n, len(whole), err, want)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 0x40
		if err := p.UnmarshalBinary(changed); !errors.Is(err, want) {
			t.Errorf("octet %d changed: %v, want %v", n, err, want)
		}
	}
	if err := p.UnmarshalBinary(append(bytes.Clone(whole), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("with more behind it: %v", err)
	}
	other := bytes.Clone(whole[:len(whole)-sha256.Size])
	other[len(PartialMark)+1+len("tcpwhy 1")] ^= 1 // the fingerprint
	if err := p.UnmarshalBinary(sealed(other)); !errors.Is(err, ErrMismatch) ||
		!strings.Contains(err.Error(), "tcpwhy 1") {
		t.Errorf("of another version: %v", err)
	}
	if p.parts != 0 {
		t.Error("something of it was kept")
	}
}

// sealed is all that stands before the hash, with that.
func sealed(octets []byte) []byte {
	sum := sha256.Sum256(octets)
	return append(octets, sum[:]...)
}

// TestPartIsPlain: what a part holds can be written down.
func TestPartIsPlain(t *testing.T) {
	if _, err := plain.Shape(reflect.TypeFor[body]()); err != nil {
		t.Error(err)
	}
}

// TestPartHasNoSecrets: what was asked for is in a part as it is shown, and no payload.
func TestPartHasNoSecrets(t *testing.T) {
	octets := octetsOf(t, partOf(t, PartBy{
		Target: func(string) string { return "/shown" }, Host: func(string) string { return "a.host" },
	}, another))
	if bytes.Contains(octets, []byte("Content-")) {
		t.Error("there are header fields in a part")
	}
	r, err := partOf(t, PartBy{}, another).Report(report.Info)
	if err != nil || len(r.Exchanges) == 0 {
		t.Fatalf("%v, %d exchanges", err, len(r.Exchanges))
	}
	for i := range r.Exchanges {
		if target := r.Exchanges[i].Target; bytes.Contains(octets, []byte(target)) && len(target) > 1 {
			t.Errorf("there is %q in a part", target)
		}
	}
}

// FuzzPartial: whatever octets with a right hash hold, reading them ends, takes no more than a
// multiple of their length, and what was read can be reported and written again.
func FuzzPartial(f *testing.F) {
	whole := octetsOf(f, partOf(f, PartBy{}, aPart))
	head := len(PartialMark) + 1 + fingerprint
	f.Add(whole[head : len(whole)-sha256.Size])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		octets := sealed(append(bytes.Clone(whole[:head]), body...))
		var p Partial
		if err := p.UnmarshalBinary(octets); err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("%v, want %v", err, ErrDamaged)
			}
			return
		}
		again := octetsOf(t, &p)
		var q Partial
		if err := q.UnmarshalBinary(again); err != nil {
			t.Fatalf("what was written again: %v", err)
		}
		_, _ = p.Report(report.Info)
		q.stats.Inputs = nil
		if q.part.Sound(detectors(), 0) {
			_ = q.Merge(&p)
		}
	})
}

// TestMutatedParts: of a part in which somebody has changed a figure, and made the hash fit, what
// contradicts itself is refused; the rest can be reported and merged.
func TestMutatedParts(t *testing.T) {
	octets := octetsOf(t, partOf(t, PartBy{}, aPart))
	other := partOf(t, PartBy{}, another)
	rnd := rand.New(rand.NewPCG(19, 19))
	refused := 0
	head := len(PartialMark) + 1 + fingerprint
	for range 120 {
		changed := bytes.Clone(octets[:len(octets)-sha256.Size])
		changed[head+rnd.IntN(len(changed)-head)] ^= 1 << rnd.IntN(8)
		var p Partial
		if err := p.UnmarshalBinary(sealed(changed)); err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			refused++
			continue
		}
		if _, err := p.Report(report.Info); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		q, err := other.clone()
		if err != nil {
			t.Fatal(err)
		}
		q.stats.Start = p.stats.Start
		if err := q.Merge(&p); err == nil {
			_, _ = q.Report(report.Info)
		}
	}
	if refused < 20 {
		t.Errorf("of 120 parts with a changed bit %d were refused", refused)
	}
}

// TestContradictingParts: counts that cannot be are refused.
func TestContradictingParts(t *testing.T) {
	octets := octetsOf(t, partOf(t, PartBy{}, aPart))
	for name, change := range map[string]func(*body){
		"more failed than there were":  func(b *body) { b.Part.Tally.Endpoints[0].Failed = 1 << 40 },
		"less than none":               func(b *body) { b.Part.Tally.Endpoints[0].Statuses[2] = -1 },
		"durations that are not":       func(b *body) { b.Part.Tally.Endpoints[0].Duration.N++ },
		"steps of no length":           func(b *body) { b.Part.Tally.Over.Each = 0 },
		"steps of a length of its own": func(b *body) { b.Part.Tally.Over.Each++ },
		"an exchange of no connection": func(b *body) { b.Part.Asked[0].Conn = len(b.Part.Begun) },
		"scanned below none":           func(b *body) { b.Part.Tally.Scanned = -1 },
		"a connection nobody began":    func(b *body) { b.Part.Connected[0].Item.ID = 99 },
	} {
		var p Partial
		if err := p.UnmarshalBinary(octets); err != nil {
			t.Fatal(err)
		}
		b := &body{p.made, p.stats, p.part, p.parts}
		change(b)
		changed := octetsOf(t, &Partial{b.Made, b.Stats, b.Part, b.Parts})
		if err := p.UnmarshalBinary(changed); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPartSaysNothing: without functions that show them, a part has neither targets nor hosts.
func TestPartSaysNothing(t *testing.T) {
	src, err := capture.Open(capture.Config{Inputs: []string{aPart}})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	p := &Partial{}
	if _, err := Run(t.Context(), src, WithPartial(p, PartBy{})); err != nil {
		t.Fatal(err)
	}
	r, err := p.Report(report.Info)
	if err != nil || len(r.Exchanges) == 0 || r.Exchanges[0].Target != "" || r.Exchanges[0].Host != "" {
		t.Errorf("%v: %+v", err, r)
	}
}
