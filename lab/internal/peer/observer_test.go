//go:build linux

package peer

import "testing"

func TestSamplesKeepChangesAndTheEnd(t *testing.T) {
	var k KernelLog
	for i, cwnd := range []uint32{10, 10, 10, 20, 20, 20} {
		k.add(Sample{AtMS: float64(i), Cwnd: cwnd})
	}
	n := len(k.Samples)
	last := k.Samples[n-1]
	if n > 4 || k.Samples[0].Cwnd != 10 || last.Cwnd != 20 || last.AtMS != 5 {
		t.Errorf("kept %+v", k.Samples)
	}
}
