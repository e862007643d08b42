package main

import (
	"time"
)

// Traffic of the web as a server's host sees it: connections with 1 to 20 exchanges, half of them
// in TLS 1.3, and of those one in five HTTP/2; clients far and near, whose round trips vary, who
// come again; one segment in a hundred that a server sends is lost behind the capture point.

const (
	webServices = 24
	webClients  = 4096
	webLossOne  = 100 // one data segment of a server in so many is lost
	webMost     = 20  // exchanges of a connection
	firstWindow = 10  // segments (RFC 6928)
	lastWindow  = 64
	// timers of Linux: TCP_DELACK_MIN, TCP_RTO_MIN
	delayedAck = 40 * time.Millisecond
	leastRTO   = 200 * time.Millisecond
)

// planned is a frame to be written.
type planned struct {
	at         time.Duration
	fromClient bool
	flags      byte
	seq        uint32
	said       said
	payload    []byte
	sack       [2]uint32
	// what the capture holds with it
	begins, completes int
	again             bool
}

// visit is one connection.
type visit struct {
	*ends
	rtt    time.Duration
	plan   []planned
	next   int
	left   int // exchanges
	window int // segments that the server may send at once
	talk   talk
	now    time.Duration // when the next thing happens
	opened bool
	stamp  [2]uint32 // the latest that passed, of each side
}

// newVisit makes the i-th connection.
func newVisit(g *generator, i int) *visit {
	client := g.random.IntN(webClients)
	v := &visit{ends: newEnds(g, client, webClients), window: firstWindow}
	v.port = uint16(1024 + i%64000)
	v.server[3] = byte(1 + g.random.IntN(webServices))
	// the same client is always as far away
	v.rtt = time.Duration(5+(client*2654435761)>>3%115) * time.Millisecond
	v.left = min(webMost, 1+int(g.random.ExpFloat64()*4))
	v.talk = newTalk(g, v)
	return v
}

// jitter is a round trip, up to a fifth longer than the least.
func (v *visit) jitter() time.Duration {
	return v.rtt + time.Duration(v.g.random.Int64N(int64(v.rtt)/5))
}

// step writes the next frame.
func (v *visit) step(at time.Duration) (time.Duration, bool, error) {
	if v.next == len(v.plan) {
		v.plan, v.next = v.plan[:0], 0
		v.now = max(v.now, at)
		v.goOn()
	}
	p := &v.plan[v.next]
	if p.at > at {
		return p.at - at, false, nil
	}
	v.next++
	if err := v.write(p); err != nil {
		return 0, false, err
	}
	if v.next < len(v.plan) {
		return v.plan[v.next].at - p.at, false, nil
	}
	return max(0, v.now-p.at), v.left < 0, nil
}

// write writes a planned frame, and takes note of what the capture holds with it.
func (v *visit) write(p *planned) error {
	t := &v.g.truth
	t.Exchanges += p.begins
	t.Complete += p.completes
	if p.again {
		t.Retransmissions++
	}
	side := 1
	if p.fromClient {
		side = 0
	}
	v.sack, v.ends.said = p.sack, &p.said
	v.stamp[side] = p.said.stamp
	err := v.sendAt(p.at, p.fromClient, p.flags, p.seq, p.payload)
	v.sack, v.ends.said = [2]uint32{}, nil
	return err
}

// goOn plans what comes next: the handshake, an exchange or several, or the end.
func (v *visit) goOn() {
	switch {
	case !v.opened:
		v.opened = true
		v.handshake()
	case v.left > 0:
		v.ask()
	default:
		v.left = -1
		v.close()
	}
}

// put plans one segment that a side sends now.
func (v *visit) put(fromClient bool, flags byte, payload []byte) *planned {
	side := 1
	if fromClient {
		side = 0
	}
	v.plan = append(v.plan, planned{
		at: v.now, fromClient: fromClient, flags: flags, seq: v.seq[side], payload: payload,
		said: v.says(fromClient, v.now, v.now-v.rtt),
	})
	v.seq[side] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		v.seq[side]++
	}
	return &v.plan[len(v.plan)-1]
}

// says is what a side says with a segment: the clocks count milliseconds. The other side's latest
// segment that it has was sent at heard.
func (v *visit) says(fromClient bool, at, heard time.Duration) said {
	ms := func(t time.Duration) uint32 { return 1_000_000 + uint32(t/time.Millisecond) }
	if fromClient {
		return said{stamp: ms(at - v.rtt/2), echo: ms(heard), ack: v.seq[1]}
	}
	return said{stamp: ms(at), echo: ms(at - v.rtt/2), ack: v.seq[0]}
}

// handshake plans that of TCP, and of TLS.
func (v *visit) handshake() {
	v.put(true, flagSYN, nil)
	v.now += 15 * time.Microsecond
	v.put(false, flagSYN|flagACK, nil)
	v.now += v.jitter()
	v.put(true, flagACK, nil)
	v.now += 20 * time.Microsecond
	v.talk.handshake()
}

// upload plans octets of the client, which come one after the other.
func (v *visit) upload(octets []byte, exchanges int) {
	for len(octets) > 0 {
		n := min(len(octets), segment)
		p := v.put(true, flagACK|flagPSH, octets[:n:n])
		p.begins, exchanges = exchanges, 0
		octets = octets[n:]
		v.now += gap
	}
}

// ask plans some requests, and their responses.
func (v *visit) ask() {
	n := min(v.left, v.talk.together())
	v.left -= n
	v.upload(v.talk.requests(n), n)
	asked := v.now
	think := time.Duration(1+v.g.random.ExpFloat64()*12) * time.Millisecond
	if v.g.random.IntN(50) == 0 {
		think += 200*time.Millisecond + time.Duration(v.g.random.IntN(600))*time.Millisecond
	}
	if think > delayedAck {
		v.now = asked + delayedAck
		v.put(false, flagACK, nil)
	}
	v.now = asked + think
	octets, over := v.talk.responses(n)
	v.download(octets, over)
	v.pause()
}

// pause is what the client does before it asks again.
func (v *visit) pause() {
	switch n := v.g.random.IntN(10); {
	case n < 6:
		v.now += time.Duration(1+v.g.random.IntN(30)) * time.Millisecond
	case n < 9:
		v.now += time.Duration(100+v.g.random.IntN(1400)) * time.Millisecond
	default:
		v.now += time.Duration(2000+v.g.random.IntN(3000)) * time.Millisecond
	}
}

// close plans the end: the client's, or after a while the server's.
func (v *visit) close() {
	first := v.g.random.IntN(5) > 0
	if !first {
		v.now += 5 * time.Second
	}
	if last := v.talk.farewell(first); last != nil {
		v.put(first, flagACK|flagPSH, last)
	}
	v.put(first, flagACK|flagFIN, nil)
	if first {
		v.now += 40 * time.Microsecond
	} else {
		v.now += v.jitter()
	}
	v.put(!first, flagACK|flagFIN, nil)
	if first {
		v.now += v.jitter()
	} else {
		v.now += 20 * time.Microsecond
	}
	v.put(first, flagACK, nil)
}
