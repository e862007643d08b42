package rule

import (
	"runtime"
	"strings"

	"tcpwhy/capture"
)

// Broken is what is told of a connection on which this program has failed: a defect of its own, and
// none of the network.
type Broken struct {
	Defect      string          // see DefectOf
	First, Last capture.FrameID // the connection's first segment, and what it failed at
}

// ownCode is how functions of this program begin.
const ownCode = "tcpwhy"

// DefectOf says what a panic that was caught is about, and in which function: it is to be called by
// the deferred function that recovered it. It has no words that may come from a network.
func DefectOf(broke any) string {
	what := "panic"
	if err, ok := broke.(runtime.Error); ok {
		what = err.Error()
	}
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for below := false; ; {
		f, more := frames.Next()
		if below && strings.HasPrefix(f.Function, ownCode) {
			return what + ", in " + f.Function
		}
		below = below || f.Function == "runtime.gopanic"
		if !more {
			return what
		}
	}
}
