//go:build linux

package world

import (
	"fmt"
	"time"
)

// Link says how the two ends are joined.
type Link struct {
	Delay [2]time.Duration // one way: to the server, to the client
	Rate  [2]int64         // bits per second; 0 is no limit
	Queue [2]int           // octets that may wait for the rate; 0 is 256 KiB
	// octets that a policer of the rate lets pass at once: nothing waits, and what is more is lost;
	// 0 is no policer
	Bucket [2]int
	// who has next to nothing waiting does not wait behind others (RFC 8290 §4.2: new flows come
	// first)
	Fair  bool
	Drops []Drop  // lost, or late, by kind
	Loss  float64 // share of all frames lost at random, from Seed
	// times at which everything is lost
	Outages []Outage
	// every nth data segment, by direction, is late by ReorderBy; 0 is none
	Reorder   [2]int
	ReorderBy time.Duration
	// each frame is late by up to so much at random, from Seed; the order stays
	Jitter    time.Duration
	Duplicate int // every nth data segment to the client arrives twice; 0 is none
	Seed      int64
	Offload   bool // large segments and unfinished checksums at both ends, as with a network card
	Box       Box  // what stands in the middle
	// a router in the middle, captured on both sides, in which a frame spends so long; 0 is none
	Router time.Duration
	Stacks [2]Stack // of the client, of the server
}

// Symmetric is a link with half of the round-trip time each way.
func Symmetric(rtt time.Duration) Link { return Link{Delay: [2]time.Duration{rtt / 2, rtt / 2}} }

const (
	toServer = 0
	toClient = 1
)

// endOf names the end to which a direction leads.
func endOf(d int) string { return [2]string{"server", "client"}[d] }

// queue is the octets that may wait for the rate.
func (l Link) queue(d int) int64 {
	if l.Queue[d] == 0 {
		return 256 << 10
	}
	return int64(l.Queue[d])
}

// A Drop loses one kind of segment: the First-th of it and the Times-1 that follow, in every
// connection, counted from 1 within a direction of the connection as they enter the link,
// retransmissions included.
type Drop struct {
	ToServer bool
	Kind     string // syn, synack, ack (without data), data, fin, rst
	First    int
	Times    int           // 0 is one
	Share    float64       // in place of First and Times: a share at random, from the link's Seed
	Late     time.Duration // not lost, but so much later than others, which may overtake it
}

// String is the rule in words.
func (d Drop) String() string {
	which := fmt.Sprintf("%d %s segment(s) from number %d", max(d.Times, 1), d.Kind, d.First)
	if d.Share > 0 {
		which = fmt.Sprintf("%.1f %% of %s segments, at random,", d.Share*100, d.Kind)
	}
	fate := "lost"
	if d.Late > 0 {
		fate = fmt.Sprintf("late by %v", d.Late)
	}
	return fmt.Sprintf("%s to the %s %s", which, endOf(d.way()), fate)
}

// way is the direction in which it loses.
func (d Drop) way() int {
	if d.ToServer {
		return toServer
	}
	return toClient
}
