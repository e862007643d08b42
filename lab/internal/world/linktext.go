//go:build linux

package world

import "tcpwhy/lab/internal/phrase"

// String is the link in words.
func (l Link) String() string {
	var p phrase.List
	p.If(true, "%v to the server, %v to the client", l.Delay[0], l.Delay[1])
	for d := range l.Rate {
		end := endOf(d)
		p.If(l.Rate[d] > 0 && l.Bucket[d] == 0, "%d kbit/s to the %s, a queue of %d octets",
			l.Rate[d]/1000, end, l.queue(d))
		p.If(l.Bucket[d] > 0, "%d kbit/s to the %s, policed without a queue, a bucket of %d octets",
			l.Rate[d]/1000, end, l.Bucket[d])
	}
	p.If(l.Fair, "who sends little does not wait behind who sends much")
	for _, d := range l.Drops {
		p.If(true, "%v", d)
	}
	for _, o := range l.Outages {
		p.If(true, "%v", o)
	}
	p.If(l.Loss > 0, "%.1f %% of frames lost at random, seed %d", l.Loss*100, l.Seed)
	for d, n := range l.Reorder {
		p.If(n > 0, "every data segment number %d to the %s late by %v", n, endOf(d), l.ReorderBy)
	}
	p.If(l.Jitter > 0, "each frame late by up to %v at random, seed %d", l.Jitter, l.Seed)
	p.If(l.Duplicate > 0, "every data segment number %d to the client arrives twice", l.Duplicate)
	box := l.Box.String()
	p.If(box != "", "in the middle: %s", box)
	p.If(l.Router > 0, "in the middle a router, captured on both sides, %v apart", l.Router)
	for i, end := range [2]string{"client", "server"} {
		p = append(p, l.Stacks[i].words(end)...)
	}
	p.If(l.Offload, "segmentation and checksum offload on at both ends")
	p.If(!l.Offload, "offloads off")
	return p.String()
}
