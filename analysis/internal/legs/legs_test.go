package legs

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	_ "tcpwhy/internal/golden" // go test ./... -update gives the flag to every package
	"tcpwhy/reassembly/exchange"
)

const ms = time.Millisecond

var (
	user   = netip.MustParseAddr("192.0.2.10")
	other  = netip.MustParseAddr("192.0.2.11")
	proxy  = netip.MustParseAddr("203.0.113.1")
	inside = netip.MustParseAddr("10.1.0.1") // another address of the proxy
	front  = netip.MustParseAddrPort("203.0.113.1:80")
	app    = netip.MustParseAddrPort("10.1.0.3:8080")
)

// play is a conversation in the making: exchanges in order, each with what became of it.
type play struct {
	asked []Asked
	ended []Ended
}

// ask adds an exchange of a GET for a path from one moment to another, whose answer of 5 octets
// came a millisecond before its end.
func (p *play) ask(
	client netip.Addr,
	server netip.AddrPort,
	path string,
	from, until time.Duration,
) int {
	id := len(p.asked)
	p.asked = append(p.asked, Asked{
		ID: id, Conn: id, Client: client, Server: server, Start: from, Method: "GET", Target: path,
		ClientNear: true, ServerNear: true,
	})
	p.ended = append(p.ended, Ended{
		From: from, Until: until, RequestEnd: from, Answer: until - ms, Think: until - from - ms,
		Status: 200, Whole: true, Sent: -1, Length: 5, Body: 5,
	})
	return id
}

// run plays all of it, and tells of what each was made, as "front:legs".
func (p *play) run() (got []string) {
	l := New(func(id int, k Link[int]) {
		if len(k.Upstream) > 0 {
			got = append(got, fmt.Sprint(id, ":", k.Upstream))
		}
	})
	type event struct {
		at   time.Duration
		kind int
		id   int
	}
	var events []event
	for i := range p.asked {
		until := p.ended[i].Until
		events = append(
			events,
			event{p.asked[i].Start, 0, i},
			event{until, 1, i},
			event{until + 10*ms, 2, i},
		)
	}
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	for _, e := range events {
		l.Advance(e.at)
		switch e.kind {
		case 0:
			l.Began(p.asked[e.id])
		case 1:
			l.Over(e.id)
		case 2:
			l.Judged(e.id, p.ended[e.id], e.id)
		}
	}
	l.Finish()
	if len(l.known) != 0 || len(l.open) != 0 || len(l.alike) != 0 {
		got = append(got, fmt.Sprintf("%d known, %d open, %d alike", len(l.known), len(l.open),
			len(l.alike)))
	}
	slices.Sort(got)
	return got
}

func TestLinks(t *testing.T) {
	trail := func(t exchange.Trail) *exchange.Trail { return &t }
	mark := func(p *play, id int, t exchange.Trail) {
		p.asked[id].Trail, p.ended[id].Trail = trail(t), trail(t)
	}
	for _, tt := range []struct {
		name string
		tell func(p *play)
		want []string
	}{
		{"a leg within an exchange", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
		}, []string{"0:[1]"}},
		{"a URL for the proxy, its path for the server", func(p *play) {
			p.ask(user, front, "http://a.example/a?b=1", 0, 100*ms)
			p.ask(proxy, app, "/a?b=1", 10*ms, 90*ms)
		}, []string{"0:[1]"}},
		{"another path", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/b", 10*ms, 90*ms)
		}, nil},
		{"another beginning of the path", func(p *play) {
			p.ask(user, front, "/api/a?b=1", 0, 100*ms)
			p.ask(proxy, app, "/v1/a?b=1", 1*ms, 98*ms)
			p.ended[0].Agent, p.ended[1].Agent = "curl", "curl"
		}, []string{"0:[1]"}},
		{"another beginning of the path, by no program that has a name", func(p *play) {
			p.ask(user, front, "/api/a", 0, 100*ms)
			p.ask(proxy, app, "/v1/a", 1*ms, 98*ms)
		}, nil},
		{"another beginning of the path, and another query", func(p *play) {
			p.ask(user, front, "/api/a?b=1", 0, 100*ms)
			p.ask(proxy, app, "/v1/a?b=2", 1*ms, 98*ms)
			p.ended[0].Agent, p.ended[1].Agent = "curl", "curl"
		}, nil},
		{"another beginning of the path, of what comes in the middle and is something else", func(p *play) {
			p.ask(user, front, "/report/7", 0, 100*ms)
			p.ask(proxy, app, "/account/7", 30*ms, 60*ms)
			p.ended[0].Agent, p.ended[1].Agent = "Go", "Go"
			p.ended[1].Length, p.ended[1].Body = -1, 9
		}, nil},
		{"another beginning of the path, and another server in the end", func(p *play) {
			p.ask(user, front, "/two/a", 0, 300*ms)
			p.ask(proxy, app, "/a", 1*ms, 100*ms)
			p.ask(proxy, netip.AddrPortFrom(app.Addr(), 8081), "/a", 101*ms, 298*ms)
			p.ended[1].Answer, p.ended[1].Status, p.ended[1].Whole = 0, 0, false
			for i := range p.ended {
				p.ended[i].Agent = "curl"
			}
		}, []string{"0:[1 2]"}},
		{"another path and the same identifier", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/b", 10*ms, 90*ms)
			mark(p, 0, exchange.Trail{RequestID: 7})
			mark(p, 1, exchange.Trail{RequestID: 7})
		}, []string{"0:[1]"}},
		{"another identifier", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			mark(p, 0, exchange.Trail{RequestID: 7})
			mark(p, 1, exchange.Trail{RequestID: 8})
		}, nil},
		{"after the answer", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 99500*time.Microsecond, 190*ms)
		}, nil},
		{"another status", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ended[1].Status = 404
		}, nil},
		{"another length", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ended[1].Length = 6
		}, nil},
		{"another program", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ended[1].Agent = "check/1"
		}, nil},
		{"an answer later than that to the user", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 190*ms)
		}, nil},
		{"the same, behind a timeout of the proxy", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 190*ms)
			p.ended[0].Status = 504
		}, []string{"0:[1]"}},
		{"asked again as the first failed", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 40*ms)
			p.ask(proxy, app, "/a", 41*ms, 90*ms)
			p.ended[1].Status, p.ended[1].Whole, p.ended[1].Answer = 0, false, 0
		}, []string{"0:[1 2]"}},
		{"asked twice, each with an answer", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 40*ms)
			p.ask(proxy, app, "/a", 41*ms, 90*ms)
		}, nil},
		{"two at once", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
		}, []string{"0:[2]", "1:[3]"}},
		{"two at once, the second answered first", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 61*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(proxy, app, "/a", 11*ms, 51*ms)
		}, []string{"0:[2]", "1:[3]"}},
		{"two at once, with other answers", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
			p.ended[0].Status, p.ended[3].Status = 404, 404
		}, []string{"0:[3]", "1:[2]"}},
		{"two at once, and an answer of no known length that is another", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
			p.ended[1].Body, p.ended[2].Body = 7, 7
			for i := range p.ended {
				p.ended[i].Length = -1
			}
		}, []string{"0:[3]", "1:[2]"}},
		{"two at once, one of them from a cache", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 7*ms)
			p.ask(proxy, app, "/a", 5*ms, 91*ms)
		}, []string{"0:[2]"}},
		{"two at once, one of them asked again elsewhere", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 30*ms)
			p.ask(proxy, app, "/a", 11*ms, 92*ms)
			p.ask(proxy, netip.AddrPortFrom(app.Addr(), 8081), "/a", 31*ms, 91*ms)
			p.ended[2].Answer, p.ended[2].Status, p.ended[2].Whole = 0, 0, false
		}, []string{"0:[3]", "1:[2 4]"}},
		{"two at once, one of them in vain", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 32*ms)
			p.ask(proxy, app, "/a", 10*ms, 30*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
			p.ended[2].Answer, p.ended[2].Status, p.ended[2].Whole = 0, 0, false
			p.ended[1].Status = 502
		}, []string{"0:[3]", "1:[2]"}},
		{"two at once, and one whose client left", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 32*ms)
			p.ask(proxy, app, "/a", 10*ms, 33*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
			for _, i := range []int{1, 2} {
				p.ended[i].Answer, p.ended[i].Status, p.ended[i].Whole = 0, 0, false
				p.ended[i].ServerLocal, p.ended[i].ClientLocal = true, true
			}
		}, []string{"0:[3]", "1:[2]"}},
		{"two at once through two proxies", func(p *play) {
			second := netip.MustParseAddr("10.1.0.2")
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, netip.AddrPortFrom(second, 80), "/a", 10*ms, 98*ms)
			p.ask(proxy, netip.AddrPortFrom(second, 80), "/a", 11*ms, 99*ms)
			p.ask(second, app, "/a", 20*ms, 90*ms)
			p.ask(second, app, "/a", 21*ms, 91*ms)
		}, []string{"0:[2]", "1:[3]", "2:[4]", "3:[5]"}},
		{"two at once, and a server that asks one of its own", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ended[2].Length, p.ended[2].Body = 6, 6
		}, nil},
		{"two at once, each passed on before the other came", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 1*ms, 90*ms)
			p.ask(other, front, "/a", 2*ms, 102*ms)
			p.ask(proxy, app, "/a", 3*ms, 91*ms)
		}, []string{"0:[1]", "2:[3]"}},
		{"the same, but the first was none", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 1*ms, 90*ms)
			p.ask(other, front, "/a", 2*ms, 102*ms)
			p.ask(proxy, app, "/a", 3*ms, 91*ms)
			p.ended[1].Length = 4
		}, []string{"0:[3]"}},
		{"two at once, told apart by whom they are for", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(other, front, "/a", 1*ms, 101*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(proxy, app, "/a", 11*ms, 91*ms)
			mark(p, 2, exchange.Trail{Forwarded: other})
			mark(p, 3, exchange.Trail{Forwarded: user})
		}, []string{"0:[3]", "1:[2]"}},
		{"a chain", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 10*ms, 90*ms)
			p.ask(app.Addr(), netip.MustParseAddrPort("10.1.0.9:1"), "/a", 20*ms, 80*ms)
		}, []string{"0:[1]", "1:[2]"}},
		{"another address of the host", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(inside, app, "/a", 10*ms, 90*ms)
			p.ended[0].ServerLocal, p.ended[1].ClientLocal = true, true
		}, []string{"0:[1]"}},
		{"another host", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(inside, app, "/a", 10*ms, 90*ms)
		}, nil},
		{"two servers that one client asks", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(user, app, "/a", 10*ms, 90*ms)
		}, nil},
		{"calls of one trace", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/b", 10*ms, 90*ms)
			p.ask(proxy, app, "/c", 20*ms, 80*ms)
			for id := range 3 {
				mark(p, id, exchange.Trail{TraceID: [16]byte{1}, ParentID: [8]byte{byte(id)}})
			}
		}, []string{"0:[1 2]"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p play
			tt.tell(&p)
			if got := p.run(); !slices.Equal(got, tt.want) {
				t.Errorf("linked %v, want %v", got, tt.want)
			}
		})
	}
}

// TestManyAtOnce: of many that ask for the same at the same time each has a leg, whoever else goes
// on, and nothing is kept.
func TestManyAtOnce(t *testing.T) {
	var p play
	const many = 3000
	p.ask(other, front, "/a", 0, many*ms) // as long as all others
	for i := range many {
		at := time.Duration(1+i) * ms
		p.ask(user, front, "/a", at, at+time.Duration(200+i%7)*ms)
		p.ask(proxy, app, "/a", at+50*ms, at+150*ms)
	}
	if got := p.run(); len(got) != many {
		t.Errorf("%d have legs, want %d: %v", len(got), many, got[max(0, len(got)-3):])
	}
}

// TestShares: time that several legs had in common counts once, and none is more than the proxy
// took.
func TestShares(t *testing.T) {
	var p play
	p.ask(user, front, "/a", 0, 100*ms)
	p.ask(proxy, app, "/b", 10*ms, 60*ms)
	p.ask(proxy, app, "/c", 40*ms, 90*ms)
	for id := range 3 {
		p.ended[id].Trail = &exchange.Trail{TraceID: [16]byte{1}}
		p.asked[id].Trail = p.ended[id].Trail
	}
	l := New(func(id int, k Link[int]) {
		want := []Link[int]{{Waited: 80 * ms}, {Share: 50 * ms}, {Share: 30 * ms}}[id]
		if k.Waited != want.Waited || k.Share != want.Share {
			t.Errorf("exchange %d: waited %v, share %v", id, k.Waited, k.Share)
		}
	})
	for _, a := range p.asked {
		l.Began(a)
	}
	for id, e := range p.ended {
		l.Judged(id, e, id)
	}
}

// TestAttempts: an attempt in vain belongs to the one exchange that waited for it.
func TestAttempts(t *testing.T) {
	dead := netip.MustParseAddrPort("10.1.0.9:1")
	at := func(from, until time.Duration) Attempt {
		return Attempt{Client: proxy, Server: dead, From: from, Until: until}
	}
	for _, tt := range []struct {
		name  string
		tell  func(p *play)
		tries []Attempt
		want  []int // of each attempt, the front; -1: none
	}{
		{"refused, then 502", func(p *play) {
			p.ask(user, front, "/a", 0, 10*ms)
			p.ended[0].Status = 502
		}, []Attempt{at(1*ms, 2*ms)}, []int{0}},
		{"three times, a second apart", func(p *play) {
			p.ask(user, front, "/a", 0, 2010*ms)
			p.ended[0].Status = 503
		}, []Attempt{at(1*ms, 2*ms), at(1001*ms, 1002*ms), at(2001*ms, 2002*ms)}, []int{0, 0, 0}},
		{"a check while a slow answer is awaited", func(p *play) {
			p.ask(user, front, "/a", 0, 900*ms)
			p.ask(proxy, app, "/a", 1*ms, 890*ms)
		}, []Attempt{at(300*ms, 301*ms)}, []int{-1}},
		{"then the next server", func(p *play) {
			p.ask(user, front, "/a", 0, 100*ms)
			p.ask(proxy, app, "/a", 3*ms, 90*ms)
		}, []Attempt{at(1*ms, 2*ms)}, []int{0}},
		{"two that could be", func(p *play) {
			p.ask(user, front, "/a", 0, 10*ms)
			p.ask(user, front, "/b", 0, 10*ms)
			p.ended[0].Status, p.ended[1].Status = 502, 502
		}, []Attempt{at(1*ms, 2*ms)}, []int{-1}},
		{"nobody asks", func(p *play) {}, []Attempt{at(1*ms, 2*ms)}, []int{-1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p play
			tt.tell(&p)
			got := map[int]int{}
			l := New(func(id int, k Link[int]) {
				if got[id] = -1; k.Behind {
					got[id] = k.Front
				}
			})
			for _, a := range p.asked {
				l.Began(a)
			}
			for i, a := range tt.tries[:1] {
				l.Attempted(a, 100+i) // known before what waited for it
			}
			for id, e := range p.ended {
				l.Judged(id, e, id)
			}
			for i, a := range tt.tries[1:] {
				l.Attempted(a, 101+i)
			}
			for i, want := range tt.want {
				if got[100+i] != want {
					t.Errorf("attempt %d is of %d, want %d", i, got[100+i], want)
				}
			}
			if len(l.serving) != 0 {
				t.Errorf("%d hosts serve", len(l.serving))
			}
		})
	}
}

// TestManyAttempts: of more attempts than can wait for one exchange, those beyond are nobody's at
// once, and the others are settled with it.
func TestManyAttempts(t *testing.T) {
	settled := 0
	l := New(func(int, Link[int]) { settled++ })
	l.Began(Asked{ID: 0, Client: user, Server: front, Method: "GET", Target: "/"})
	const more = 10
	for i := range maxTrying + more {
		at := time.Duration(i) * ms
		l.Attempted(Attempt{Client: front.Addr(), Server: app, From: at, Until: at + ms}, 1+i)
	}
	if settled != more {
		t.Errorf("%d attempts settled, want %d", settled, more)
	}
	l.Judged(0, Ended{Until: time.Minute, Status: 502, Whole: true, Answer: time.Minute}, 0)
	if want := 1 + maxTrying + more; settled != want {
		t.Errorf("%d settled in the end, want %d", settled, want)
	}
}
