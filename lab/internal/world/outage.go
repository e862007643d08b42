//go:build linux

package world

import (
	"fmt"
	"time"
)

// An Outage loses everything that enters the link during it.
type Outage struct {
	From, For          time.Duration // From is since the first frame
	ToServer, ToClient bool
}

// has reports whether a frame is lost, so long after the first one.
func (o Outage) has(d int, since time.Duration) bool {
	affected := [2]bool{o.ToServer, o.ToClient}
	return affected[d] && since >= o.From && since < o.From+o.For
}

// String is the outage in words.
func (o Outage) String() string {
	way := "in both directions"
	switch {
	case !o.ToClient:
		way = "to the server"
	case !o.ToServer:
		way = "to the client"
	}
	return fmt.Sprintf("everything %s lost from %v on for %v", way, o.From, o.For)
}
