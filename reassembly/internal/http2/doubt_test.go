package http2_test

import (
	"testing"
)

// gaps are conversations of which the capture lacks frames.
var gaps = []struct {
	name string
	play func(k *talk)
	want string
}{
	{"later responses end nothing", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/slow"), k.get(3, "/a"), k.get(5, "/b"))
		k.Gap(server, 40, k.Next())
		k.say(server, k.ok(5, endStream))
		k.say(client, k.get(7, "/c"))
		k.say(server, k.ok(7, endStream))
		k.say(server, k.ok(1, endStream))
		k.Reader.Fin(client, k.Next())
		k.Reader.Fin(server, k.Next())
	}, `#1 GET /slow 200 complete q3-3 20+0 r8-8 10+0
#3 GET /a incomplete q3-3 16+0
#5 GET /b 200 complete q3-3 16+0 r5-5 10+0
#7 GET /c 200 complete q6-6 16+0 r7-7 10+0
`},
	{"a reset of the client's may have passed", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"))
		k.Gap(client, 13, k.Next())
		k.Reader.Fin(client, k.Next())
		k.Reader.Fin(server, k.Next())
	}, `#1 GET /a incomplete q3-3 18+0
`},
	{"what it asks next shows that it asked nothing", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"))
		k.say(server, k.ok(1, endStream))
		k.Gap(client, 17, k.Next())
		k.say(client, k.get(3, "/a")) // all of it refers to what was said before
		k.say(server, k.ok(3, endStream))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-4 10+0
#3 GET /a 200 complete q6-6 13+0 r7-7 10+0
`},
	{"a request in between is not known", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"))
		k.say(server, k.ok(1, endStream))
		k.Gap(client, int64(len(k.get(3, "/b"))), k.Next())
		k.say(client, k.get(5, "/b"))
		k.say(server, k.ok(5, endStream))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-4 10+0
#5 GET  200 complete q6-6 13+0 r7-7 10+0
`},
	{"an open stream's frame begins a segment", func(k *talk) {
		k.begin()
		k.say(client, k.get(1, "/a"))
		k.say(server, k.ok(1, 0))
		k.Gap(server, 30, k.Next())
		k.say(server, frame(data, 0, 1, "many more than there are")[:20])
		k.Gap(server, 13, k.Next())
		k.say(server, frame(data, endStream, 1, "end"))
		k.End(true)
	}, `#1 GET /a 200 complete q3-3 18+0 r4-8 10+27,gap
`},
	{"a reset that needs no more, behind an end that may have passed", func(k *talk) {
		k.begin()
		k.say(
			client,
			frame(headers, endHeaders, 1, k.block(client, ":method", "PUT", ":path", "/")),
		)
		k.Gap(server, 30, k.Next())
		k.say(server, frame(rst, 0, 1, number(0)))
		k.End(true)
	}, `#1 PUT / incomplete q3-3 15+0! NO_ERROR@5 by server
`},
}

// TestGaps: what may have ended unseen has no end, and the rest is read on.
func TestGaps(t *testing.T) {
	for _, g := range gaps {
		t.Run(g.name, func(t *testing.T) {
			k := newTalk()
			g.play(k)
			k.expect(t, g.want)
		})
	}
}
