//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// segmentFrame is a frame of 10 octets of data from port 1000 to port 8080.
func segmentFrame() []byte {
	f := make([]byte, 14+20+20+10)
	copy(f, clientStation().mac)
	copy(f[6:], serverStation().mac)
	f[12], f[13], f[14], f[22], f[23] = 8, 0, 0x45, 64, 6
	binary.BigEndian.PutUint16(f[16:], 50)
	copy(f[26:], []byte{10, 9, 0, 2, 10, 9, 0, 1})
	binary.BigEndian.PutUint16(f[34:], serverPort)
	binary.BigEndian.PutUint16(f[36:], 1000)
	binary.BigEndian.PutUint32(f[38:], 7000)
	binary.BigEndian.PutUint32(f[42:], 900)
	f[46], f[47] = 5<<4, flagACK|flagPSH
	return f
}

// sums reports whether both checksums of an IPv4 packet hold.
func sums(f []byte) bool {
	at, length, _ := ipHeader(f)
	if checksum(0, f[14:at]) != 0 {
		return false
	}
	if f[23] == 1 {
		return checksum(0, f[at:]) == 0
	}
	pseudo := append(append([]byte(nil), f[26:34]...), 0, f[23], byte(length>>8), byte(length))
	return checksum(uint32(^checksum(0, pseudo)), f[at:at+length]) == 0
}

func TestABoxAnswersInOrder(t *testing.T) {
	segment := segmentFrame()
	for _, c := range []struct {
		name             string
		frame            []byte
		back             bool // to where the segment came from
		source, dest     byte // last octet of the address
		seq              uint32
		fromPort, toPort uint16
	}{
		{"reset back", resetFor(segment), true, 1, 2, 900, 1000, serverPort},
		{"reset behind", resetBehind(segment), false, 2, 1, 7010, serverPort, 1000},
	} {
		if !sums(c.frame) {
			t.Errorf("%s: a checksum is wrong", c.name)
		}
		if c.back == bytes.Equal(c.frame[:6], segment[:6]) {
			t.Errorf("%s: goes the wrong way", c.name)
		}
		if c.frame[29] != c.source || c.frame[33] != c.dest || c.frame[22] != boxTTL {
			t.Errorf("%s: IP header % x", c.name, c.frame[14:34])
		}
		h, ok := parseTCP(c.frame, true)
		if !ok || h.kind() != "rst" || binary.BigEndian.Uint32(c.frame[38:]) != c.seq {
			t.Errorf("%s: TCP header % x", c.name, c.frame[34:])
		}
		if binary.BigEndian.Uint16(c.frame[34:]) != c.fromPort || binary.BigEndian.Uint16(c.frame[36:]) != c.toPort {
			t.Errorf("%s: ports % x", c.name, c.frame[34:38])
		}
	}
	m := icmpFor(segment, 4, 1400)
	if !sums(m) || m[34] != 3 || m[35] != 4 || binary.BigEndian.Uint16(m[40:]) != 1400 || !bytes.Equal(m[42:62], segment[14:34]) {
		t.Errorf("ICMP is % x", m[14:])
	}
}

func TestABoxForgets(t *testing.T) {
	w := &wire{link: Link{Box: Box{Forget: 100}}, boxed: newBoxState()}
	syn, data := tcpHeader{flow: 1, flags: flagSYN}, tcpHeader{flow: 1, flags: flagACK, length: 5}
	for i, c := range []struct {
		h    tcpHeader
		at   int64
		want bool
	}{{syn, 0, false}, {data, 90, false}, {data, 180, false}, {data, 300, true}, {data, 310, true}, {syn, 320, false}, {data, 330, false}} {
		if got := w.forgotten(c.h, c.at); got != c.want {
			t.Errorf("step %d: forgotten %v, want %v", i, got, c.want)
		}
	}
}

func TestSamplesKeepChangesAndTheEnd(t *testing.T) {
	var k kernelLog
	for i, cwnd := range []uint32{10, 10, 10, 20, 20, 20} {
		k.add(sample{AtMS: float64(i), Cwnd: cwnd})
	}
	if n := len(k.Samples); n > 4 || k.Samples[0].Cwnd != 10 || k.Samples[n-1].Cwnd != 20 || k.Samples[n-1].AtMS != 5 {
		t.Errorf("kept %+v", k.Samples)
	}
}

func TestTheLedgerIsHeldAgainstTheKernel(t *testing.T) {
	b := bulk{kernel: transferTimes{busyMS: 200, rwndMS: 100, retrans: 2}}
	var r report
	r.Summary.TimeMS = map[string]float64{"slow_start": 50, "rwnd": 90, "zero_window": 5, "think": 500}
	b.readLedger(r)
	if b.ledger.busyMS != 145 || b.ledger.rwndMS != 95 || b.slackMS != 28 {
		t.Errorf("read %+v, slack %v", b.ledger, b.slackMS)
	}
	if b.busyAgrees() || !b.rwndAgrees() || b.retransAgree() {
		t.Errorf("agreement: busy %v, rwnd %v, retransmissions %v", b.busyAgrees(), b.rwndAgrees(), b.retransAgree())
	}
}
