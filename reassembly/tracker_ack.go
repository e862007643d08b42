package reassembly

import "tcpwhy/capture"

// acknowledge applies what a segment says about the other direction.
func (k *track) acknowledge(e *segment, kind Kind) {
	p, d := &k.c.Half[e.dir.Peer()], &k.side[e.dir.Peer()]
	una := p.Una
	k.judgeResends(e, una)
	k.measure(e, una)
	if e.ack > una {
		k.advance(e)
	} else if kind == DuplicateAck {
		d.dupAcks++
	}
	if e.newSACK || kind == DuplicateAck && d.dupAcks >= dupThreshold {
		d.lossSign(e)
	}
	if edge := e.ack + int64(e.win); !e.seg.Flags.Has(capture.RST) &&
		(!d.edgeSet || edge > d.edge) {
		d.edge, d.edgeSet = edge, true
	}
}

// lossSign notes evidence that something this side sent was lost.
func (d *side) lossSign(e *segment) {
	if !d.signal {
		d.signal, d.signalAt = true, e.at.Time
	}
	d.signalLast = e.at.Time
}

// advance moves the acknowledged edge of the peer of e.dir.
func (k *track) advance(e *segment) {
	p, d := &k.c.Half[e.dir.Peer()], &k.side[e.dir.Peer()]
	p.Una = e.ack
	if p.Una > p.Frontier {
		d.miss(k.c.Half[e.dir].Max)
	}
	d.ackedAt = e.at.Time
	d.dupAcks = 0
	d.sacked.dropBelow(e.ack)
	switch {
	case d.signal && e.ack < d.point && !d.timeout:
		d.signalLast = e.at.Time // a partial acknowledgment shows the next loss (RFC 6582 §3.2)
	case len(d.sacked) == 0 || e.ack >= d.point:
		d.signal = false
	}
}

// measure takes the round trips that an acknowledgment shows, between the capture point and the
// host that sent it. una is the edge before it.
func (k *track) measure(e *segment, una int64) {
	h, est := &k.c.Half[e.dir], &k.side[e.dir].rtt
	p, d := &k.c.Half[e.dir.Peer()], &k.side[e.dir.Peer()]
	if e.seg.Options.Has(capture.HasTS) {
		rtt, ok := est.echoed(e.seg.TSEcr, e.at.Time)
		// What is echoed may have waited for the application; only the least of such samples means
		// something.
		if ok && (h.RTT.Samples == 0 || rtt < h.RTT.Min) {
			h.RTT.Min = rtt
			h.RTT.Samples++
			est.vary(&h.RTT)
		}
	}
	if e.ack <= una {
		return
	}
	sent, ok := d.sent.ack(e.ack)
	if !ok {
		return
	}
	rtt := e.at.Time - sent
	hand := una == -1 && p.HasISN
	if hand && h.RTT.Handshake == 0 {
		h.RTT.Handshake = rtt
	}
	// A receiver answers a SYN, and every second full segment, at once (RFC 1122 §4.2.3.2).
	undelayed := e.seg.Len == 0 && (hand || e.ack-una >= 2*int64(max(p.Eff, 1)))
	est.sample(&h.RTT, rtt, undelayed)
}

// send applies what a segment says about its own direction.
func (k *track) send(e *segment, kind Kind) {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	d.note(e.seg, e.at.Time)
	rst := e.seg.Flags.Has(capture.RST)
	if !rst { // the window of a RST means nothing
		d.win, d.winSet = e.win, true
	}
	again := kind == SpuriousRetransmission && e.seg.Flags.Has(capture.SYN)
	d.challenged = again || rst && !k.resets(e)
	d.last = kind
	if e.seg.Options.Has(capture.HasTS) {
		k.side[e.dir.Peer()].rtt.passed(e.seg.TSVal, e.at.Time)
	}
	if rst || e.end == e.seq {
		return
	}
	if e.seg.Len > 0 {
		h.LastData = e.at
		if !kind.Retransmitted() {
			d.sizes.observe(h, e.seg.Len, e.seg.Flags)
		}
	}
	if kind == KeepAlive || kind == ZeroWindowProbe && e.end <= h.Max {
		return
	}
	k.outstanding(e, kind)
	d.lastSend = e.at.Time
	h.Max = max(h.Max, e.end)
}

// outstanding keeps the queue of what is not acknowledged.
func (k *track) outstanding(e *segment, kind Kind) {
	h, d := &k.c.Half[e.dir], &k.side[e.dir]
	if e.end <= h.Una {
		return
	}
	fresh := e.seq >= h.Max || h.Segments == 1
	switch {
	case fresh:
		d.sent.push(e.seq, e.end, e.at.Time)
	case e.end > h.Max: // an old part and a new one
		d.sent.again(e.seq, h.Max, e.at.Time)
		d.sent.push(h.Max, e.end, e.at.Time)
	case kind == OutOfOrder || d.sent.find(e.seq) == nil:
		d.sent.late(e.seq, e.end, e.at.Time)
	default:
		d.sent.again(e.seq, e.end, e.at.Time)
	}
}
