package ending

import (
	"tcpwhy/analysis/internal/rule"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// ttlSlack is by how many hops a RST may differ from the other segments of its sender before it
// counts as another host's: routes change by a hop or two.
const ttlSlack = 2

// overtakenWithin is within how many round trips of a RST another segment of its sender may have
// been overtaken by it: paths of the same connection differ by less than one (reasoning).
const overtakenWithin = 2

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
	v.be(resetAfterDataRule, injectedCause, report.ConfidenceHigh)
	v.until(v.c.Half[dir].Rst.Time)
	describeReset(&v.p.State.Connection, v.claim, v.x, dir)
	v.claim.Says = []rule.Said{oddReset(v.c, dir)}
	return true
}

// oddReset says how the RST differs from what its sender sends.
func oddReset(c *reassembly.Conn, dir reassembly.Dir) rule.Said {
	if !foreignReset(c, dir) {
		return rule.Say(senderWentOn)
	}
	its, others := int64(c.Half[dir].RstTTL), int64(c.Half[dir].TTLMax)
	if id, last, odd := foreignID(c, dir); odd {
		return rule.Say(injectedTTLAndID, its, others, int64(id), int64(last))
	}
	return rule.Say(injectedTTL, its, others)
}

// wentOn reports whether the sender of a RST sent anything else later than a segment may be
// overtaken: a kernel has forgotten the connection by then.
func wentOn(c *reassembly.Conn, dir reassembly.Dir) bool {
	h := &c.Half[dir]
	limit := h.Rst.Time + max(reactionTime, overtakenWithin*c.RTTMin())
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
