package analysis

import (
	"testing"

	"tcpwhy/analysis/report"
)

// A connection whose request comes a little later than at once may have been opened in advance:
// that is no certain cost.
func TestLateStart(t *testing.T) {
	const rtt = 0.02
	closing := "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
	for _, tt := range []struct {
		name  string
		after float64 // from the handshake to the request
		want  string
		sure  bool
	}{
		{"at once", 0.001, "missed-reuse/response-close×1:low", true},
		{"by a busy client", 0.006, "missed-reuse/response-close×1:low", false},
		{"by a client that had connected in advance", 0.012, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old := newTalk(40001).open(0, rtt).exchange(rtt+0.0005, rtt, getA, closing).bye(0.05, rtt)
			r := connReport(t, old, newTalk(40002).open(1, rtt).exchange(1+rtt+tt.after, rtt, getB, ok))
			if got := foundBy(r); got != tt.want {
				t.Fatalf("found %q, want %q", got, tt.want)
			}
			if tt.want == "" {
				return
			}
			f := r.Findings[0]
			if sure := f.Cost.Low > 0 && f.Confidence == report.Proven; sure != tt.sure {
				t.Errorf("low %v, confidence %v: sure = %v, want %v", f.Cost.Low, f.Confidence, sure, tt.sure)
			}
		})
	}
}
