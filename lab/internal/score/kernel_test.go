//go:build linux

package score

import "testing"

func TestTheLedgerIsHeldAgainstTheKernel(t *testing.T) {
	b := bulk{kernel: transferTimes{busyMS: 200, rwndMS: 100, retrans: 2}}
	var r report
	r.Summary.TimeMS = map[string]float64{
		"slow_start": 50, "rwnd": 90, "zero_window": 5, "think": 500,
	}
	b.readLedger(r)
	if b.ledger.busyMS != 145 || b.ledger.rwndMS != 95 || b.slackMS != 28 {
		t.Errorf("read %+v, slack %v", b.ledger, b.slackMS)
	}
	if b.busyAgrees() || !b.rwndAgrees() || b.retransAgree() {
		t.Errorf("agreement: busy %v, rwnd %v, retransmissions %v",
			b.busyAgrees(), b.rwndAgrees(), b.retransAgree())
	}
}
