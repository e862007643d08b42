package http2_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/readertest"
)

// TestFromTheMiddle hears of each conversation only what follows some segment: it reads nothing that
// the whole conversation does not have.
func TestFromTheMiddle(t *testing.T) {
	read := 0
	for _, c := range conversations {
		whole := newTalk()
		c.play(whole)
		for from := 1; from < len(whole.log); from++ {
			p := readertest.New()
			p.Gap(client, 1000, p.Next())
			p.Gap(server, 1000, p.Next())
			for _, w := range whole.log[from:] {
				p.Octets(w.Dir, w.Data, p.Next())
			}
			p.Reader.End(p.Next(), true)
			for _, x := range p.Exchanges {
				if x.Stream != 0 {
					read++
					checkPart(t, c.name, x, whole.Exchanges)
				}
			}
		}
	}
	if read < 20 {
		t.Errorf("only %d exchanges were read", read)
	}
}

// checkPart checks that x is one of all, as far as it is known.
func checkPart(t *testing.T, name string, x *exchange.Exchange, all []*exchange.Exchange) {
	t.Helper()
	i := slices.IndexFunc(all, func(y *exchange.Exchange) bool { return y.Stream == x.Stream })
	if i < 0 {
		t.Errorf("%s: stream %d is invented", name, x.Stream)
		return
	}
	y := all[i]
	if x.Method != "" && x.Method != y.Method || x.Target != "" && x.Target != y.Target ||
		x.Host != "" && x.Host != y.Host || x.Status != 0 && x.Status != y.Status ||
		x.Response != nil && x.Response.BodyBytes > y.Response.BodyBytes && y.Method != "CONNECT" {
		t.Errorf("%s: %+v is not %+v", name, *x, *y)
	}
}

// TestFloods sends what costs an endpoint much. What is kept stays bounded.
func TestFloods(t *testing.T) {
	const times = 100_000
	for name, flood := range map[string]func(k *talk, i int) string{
		"rapid reset": func(k *talk, i int) string {
			id := uint32(2*i + 1)
			return k.get(id, "/") + frame(rst, 0, id, number(8))
		},
		"settings": func(k *talk, i int) string {
			return frame(settings, 0, 0, strings.Repeat(setting(uint16(i), uint32(i)), 20))
		},
		"pings":   func(*talk, int) string { return frame(ping, 0, 0, "12345678") },
		"windows": func(*talk, int) string { return frame(update, 0, 0, number(1<<31-1)) },
		"empty frames": func(k *talk, i int) string {
			return frame(data, 0, 1, "") + frame(continuation, 0, 1, "") + frame(200, 0, 1, "")
		},
		"promises": func(k *talk, i int) string {
			return frame(promise, endHeaders, 1, number(uint32(2*i))+"\x82")
		},
		"goaways": func(k *talk, i int) string { return frame(goAway, 0, 0, number(1<<30)+number(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			k := newTalk()
			k.begin()
			before := held()
			for i := range times {
				dir := client
				if name == "promises" || name == "goaways" {
					dir = server
				}
				k.Octets(dir, flood(k, i), k.Next())
				k.Forget()
				k.Moments = k.Moments[:0]
			}
			if more := held() - before; more > 1<<20 {
				t.Errorf("%d octets more are held", more)
			}
			runtime.KeepAlive(k)
		})
	}
}

// held is how much memory is in use.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestManyStreams opens more streams than are followed.
func TestManyStreams(t *testing.T) {
	k := newTalk()
	k.begin()
	for i := range 3000 {
		k.say(client, k.get(uint32(2*i+1), "/"))
	}
	if len(k.Exchanges) != 2000 || !slices.Contains(k.Caveats, exchange.CaveatManyStreams) ||
		k.HTTP2.Streams != 3000 {
		t.Errorf("%d exchanges, %v", len(k.Exchanges), k.Caveats)
	}
	k.End(true)
}

// TestNoSecretIsKept looks for values that no report needs in what is remembered for later blocks:
// they are never decoded.
func TestNoSecretIsKept(t *testing.T) {
	k := newTalk()
	k.begin()
	k.say(client, k.get(1, "/", "cookie", "id=planted", "authorization", "Bearer planted",
		"x-api-key", "planted"))
	k.say(client, k.get(3, "/", "cookie", "id=planted", "authorization", "Bearer planted"))
	for _, x := range k.Exchanges {
		if strings.Contains(readertest.Describe(k.Script), "planted") {
			t.Errorf("%+v", x)
		}
	}
}

// FuzzHTTP2 plays any conversation to readers of all protocols.
func FuzzHTTP2(f *testing.F) {
	for _, c := range conversations {
		k := newTalk()
		c.play(k)
		f.Add(readertest.Encode(k.log...))
	}
	f.Fuzz(
		func(t *testing.T, input []byte) { readertest.Fuzz(t, readertest.New(), input, func() {}) },
	)
}
