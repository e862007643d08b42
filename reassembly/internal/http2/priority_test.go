package http2_test

import (
	"strings"
	"testing"

	"tcpwhy/reassembly/exchange"
)

const priorityUpdate = 16

// wish is a PRIORITY_UPDATE of the client.
func wish(stream uint32, value string) string {
	return frame(priorityUpdate, 0, 0, number(stream)+value)
}

// TestWishes: what the client said of priorities, with requests, before and after them.
func TestWishes(t *testing.T) {
	type said struct {
		first, last int // urgencies
		inc         bool
		any         bool
	}
	for _, c := range []struct {
		name, early, field, late string
		want                     said
	}{
		{"nothing", "", "", "", said{3, 3, false, false}},
		{"urgent", "", "u=0", "", said{0, 0, false, true}},
		{"incremental", "", "i", "", said{3, 3, true, true}},
		{"both", "", "u=5, i=?1", "", said{5, 5, true, true}},
		{"withdrawn", "", "i, u=5;x=1 ,i=?0", "", said{5, 5, false, true}},
		{"out of range", "", "u=8", "", said{3, 3, false, true}},
		{"negative", "", "u=-1", "", said{3, 3, false, true}},
		{"others' members", "", `a="u=1,\",u=2", u=6, b`, "", said{6, 6, false, true}},
		{"said before", "u=1", "u=6", "", said{1, 1, false, true}},
		{"said later", "", "u=6,i", "u=2", said{6, 2, true, true}},
		{"said later only", "", "", "u=2", said{3, 2, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk()
			k.chop = func(int) int { return 5 }
			k.begin()
			if c.early != "" {
				k.say(client, wish(1, "u=7"), wish(1, c.early))
			}
			var more []string
			if c.field != "" {
				more = []string{"priority", c.field}
			}
			k.say(client, k.get(1, "/a", more...))
			if c.late != "" {
				k.say(client, wish(1, c.late))
			}
			k.say(server, k.ok(1, endStream))
			k.End(true)
			w := &k.HTTP2.Wishes
			got, known := w.Of(0)
			have := said{got.First.Urgency(), got.Last.Urgency(), got.First.Incremental, w.Any()}
			if !known || have != c.want {
				t.Errorf("got %+v (known %v), want %+v", have, known, c.want)
			}
		})
	}
}

// TestWishesUnknown: a request whose fields the capture lacks may have said anything.
func TestWishesUnknown(t *testing.T) {
	k := newTalk()
	k.begin()
	k.get(99, "/unseen", "priority", "u=1") // enters the table of the sender alone
	k.say(client, k.get(1, "/a", "priority", "u=1"))
	k.End(true)
	if _, known := k.HTTP2.Wishes.Of(0); known {
		t.Error("known")
	}
}

// TestWishesHostile: what is kept is bounded, and what is no text of priorities changes nothing.
func TestWishesHostile(t *testing.T) {
	k := newTalk()
	k.begin()
	for id := uint32(1); id < 4000; id += 2 {
		k.say(client, wish(id+1_000_000, "u=0"), wish(id, "u=1"))
	}
	k.say(client, frame(priorityUpdate, 0, 0, "abc"), wish(1, strings.Repeat("x", 1<<13)),
		frame(priorityUpdate, 0, 5, number(5)+"u=0"))
	k.say(client, k.get(1, "/a"))
	k.say(server, wish(1, "u=7"), k.ok(1, endStream))
	k.End(true)
	if w, known := k.HTTP2.Wishes.Of(0); !known || w.First.Urgency() != 1 || w.First != w.Last {
		t.Errorf("got %+v, known %v", w, known)
	}
}

// TestAhead: which of two responses goes first.
func TestAhead(t *testing.T) {
	var usual exchange.Priority
	urgent, inc := usual.UrgencyOf(0), exchange.Priority{Incremental: true}
	for _, c := range []struct {
		p, o    exchange.Priority
		earlier bool
		want    bool
	}{
		{urgent, usual, false, true}, {usual, urgent, true, false}, {usual, usual, true, true},
		{usual, usual, false, false}, {inc, usual, true, false}, {usual, inc, true, true},
	} {
		if got := c.p.Ahead(c.o, c.earlier); got != c.want {
			t.Errorf("%+v before %+v, earlier %v: %v", c.p, c.o, c.earlier, got)
		}
	}
}
