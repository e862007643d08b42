package ending

import (
	"fmt"

	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// ttlSlack is by how many hops a RST may differ from the other segments of its sender before it
// counts as another host's: routes change by a hop or two.
const ttlSlack = 2

const (
	// idRun is how many segments must carry IP identifications that count up before their sender
	// counts as one that does so: Linux for each connection, Windows for the host (RFC 6864 asks
	// for nothing where a datagram is not fragmented).
	idRun = 4
	// idStep is the largest step between two of them that is still counting: other connections may
	// share the counter.
	idStep = 256
	// idFar is how far off the RST's identification must be at least.
	idFar = 16 * idStep
)

// injected: neither end sent the RST.
func (v *verdictOnEnd) injected() bool {
	dir, ok := firstReset(v.c)
	if !ok || v.x.Start().Time > v.c.Half[dir].Rst.Time || v.e.Idle >= forgottenAfter ||
		!foreignReset(v.c, dir) && !wentOn(v.c, dir) {
		return false
	}
	v.be("reset-after-data", "injected", report.ConfidenceHigh)
	v.until(v.c.Half[dir].Rst.Time)
	describeReset(&v.p.State.Connection, v.claim, v.x, dir)
	v.claim.Text = injectedText(v.c, dir)
	return true
}

// injectedText says how the RST differs from what its sender sends.
func injectedText(c *reassembly.Conn, dir reassembly.Dir) string {
	if !foreignReset(c, dir) {
		return "Its sender went on as if it had not sent it."
	}
	text := fmt.Sprintf("Its TTL is %d, that of its sender's segments %d", c.Half[dir].RstTTL,
		c.Half[dir].TTLMax)
	if id, last, odd := foreignID(c, dir); odd {
		return fmt.Sprintf(
			"%s; its IP identification is %d, where its sender had counted up to %d.", text, id,
			last)
	}
	return text + "."
}

// wentOn reports whether the sender of a RST sent anything else later than a segment may be
// overtaken: a kernel has forgotten the connection by then.
func wentOn(c *reassembly.Conn, dir reassembly.Dir) bool {
	h := &c.Half[dir]
	limit := h.Rst.Time + max(reactionTime, 2*c.RTTMin())
	for i := len(c.Records) - 1; i >= 0; i-- {
		r := &c.Records[i]
		if r.Time <= limit {
			return false
		}
		if r.Dir == dir && r.Flags&(capture.RST|capture.SYN) == 0 && !r.Trait.Has(reassembly.Wild) {
			return true
		}
	}
	return false
}

// foreignReset reports whether the RST's TTL does not fit the other segments of its sender.
func foreignReset(c *reassembly.Conn, dir reassembly.Dir) bool {
	h := &c.Half[dir]
	ttl := int(h.RstTTL)
	return ttl > 0 && h.TTLMax > 0 && (ttl > int(h.TTLMax)+ttlSlack || ttl < int(h.TTLMin)-ttlSlack)
}

// foreignID reports whether the RST's IP identification is far from where its sender had counted
// to. It only adds to what the TTL shows: a RST that no socket sends carries 0 on Linux, which says
// nothing, and counters are the sender's own affair.
func foreignID(c *reassembly.Conn, dir reassembly.Dir) (id, last uint16, odd bool) {
	run := 0
	for i := range c.Records {
		r := &c.Records[i]
		if r.Dir != dir || r.Flags.Has(capture.SYN) {
			continue
		}
		if r.Frame == c.Half[dir].Rst.Frame {
			id = r.IPID
			break
		}
		if step := r.IPID - last; run > 0 && (step == 0 || step > idStep) {
			run = 0
		}
		last, run = r.IPID, run+1
	}
	off := min(id-last, last-id)
	return id, last, run >= idRun && id != 0 && off > idFar
}
