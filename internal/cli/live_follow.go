package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/internal/cli/metrics"
	"tcpwhy/internal/cli/service"
	"tcpwhy/output"
	"tcpwhy/output/view"
)

const (
	// waitingLines is how many pieces of output may wait for a slow reader. What comes then is left
	// out of the stream: waiting for it would make the kernel drop frames, and the report at the
	// end has it all.
	waitingLines = 4096
	// screenEvery is how often what a screen shows is made anew.
	screenEvery = time.Second
)

// follower writes what a live capture shows while it goes on. Its hooks run on the goroutine of the
// analysis and only queue; another one writes, so that nothing written can hold up reading.
type follower struct {
	o       *options
	src     capture.Listener
	stdout  io.Writer
	stderr  *switched
	queue   chan func() error
	lost    uint64           // pieces left out
	asked   atomic.Bool      // SIGUSR1 wants a report so far
	busy    atomic.Bool      // one is being written
	stream  output.Live      // nil: the format waits for the end
	view    *view.View       // nil: none is shown
	screen  *liveScreen      // nil: it is shown in lines
	metrics *metrics.Metrics // nil: nobody is shown any
	manager *service.Manager // nil: there is none
	began   time.Time
	drawn   time.Time
	written time.Time // the latest report so far
}

// follow analyses until the capture ends. The stream of lines goes to stdout, which is the file of
// --output if there is one.
func (o *options) follow(
	src capture.Listener,
	shown *metrics.Metrics,
	options []analysis.Option,
	stdout io.Writer,
	stderr *switched,
) (*report.Report, error) {
	f := &follower{
		o:       o,
		src:     src,
		stdout:  stdout,
		stderr:  stderr,
		queue:   make(chan func() error, waitingLines),
		metrics: shown,
		manager: service.Open(os.Getenv),
	}
	defer f.manager.Close()
	if shown != nil {
		shown.Serve()
	}
	f.began = time.Now()
	f.drawn, f.written = f.began, f.began
	f.open()
	defer f.screen.close() // also if this program fails
	stopSignals := f.heed()
	if o.duration > 0 {
		timer := time.AfterFunc(o.duration, src.Stop)
		defer timer.Stop()
	}
	var writing sync.WaitGroup
	var writeErr error
	writing.Go(func() { writeErr = f.write() })
	f.manager.Ready()
	report, err := analysis.Run(context.Background(), src, append(options, f.hooks()...)...)
	f.manager.Stopping()
	stopSignals()
	close(f.queue)
	writing.Wait()
	f.screen.close()
	if f.lost > 0 {
		fmt.Fprintf(stderr,
			"tcpwhy: warning: %d lines were left out while nobody read them; the report has all\n",
			f.lost)
	}
	if err == nil {
		err = writeErr
	}
	return report, err
}

// open prepares the stream of lines and the view.
func (f *follower) open() {
	if !f.o.live.quiet && f.o.as().Live == nil {
		f.view = view.New(f.o.source())
		if !f.o.live.lines && !f.o.panics {
			f.screen = openScreen(f.view.Snapshot(f.src.Stats()), f.src.Stop, f.stdout,
				f.stderr.to, f.o.color)
		}
		if f.screen != nil {
			f.stderr.turn(f.screen)
		}
	}
	if live := f.o.as().Live; live != nil {
		f.stream = live(f.stdout, f.o.source(), f.o.outputOptions(f.stdout))
	}
}

// heed ends the capture at SIGINT and SIGTERM, and notes wishes for a report. The second such
// signal ends the program as if there were no handler.
func (f *follower) heed() (stop func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, append(reportSignals(), os.Interrupt, syscall.SIGTERM)...)
	var done sync.WaitGroup
	done.Go(func() {
		for s := range signals {
			if s == os.Interrupt || s == syscall.SIGTERM {
				f.screen.leave()
				signal.Reset(os.Interrupt, syscall.SIGTERM)
				f.src.Stop()
				continue
			}
			f.asked.Store(true)
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		done.Wait()
	}
}

// put queues something to write.
func (f *follower) put(write func() error) bool {
	select {
	case f.queue <- write:
		return true
	default:
		f.lost++
		return false
	}
}

// attempt writes one piece. A panic is an error.
func (f *follower) attempt(write func() error) (err error) {
	defer f.o.caught(&err)
	return write()
}

// write works off the queue. The first error ends the capture, but for what this program cannot
// write because it has a defect.
func (f *follower) write() error {
	var first error
	for write := range f.queue {
		if first != nil {
			continue
		}
		err := f.attempt(write)
		if defect, is := err.(*usageError); is {
			fmt.Fprintf(f.stderr, "tcpwhy: warning: %s; %s\n", defect.message, defect.hint)
			continue
		}
		if first = err; first != nil {
			f.src.Stop()
		}
	}
	return first
}

// hooks are what the analysis calls.
func (f *follower) hooks() []analysis.Option {
	hooks := []analysis.Option{analysis.OnProgress(f.tick)}
	if f.stream != nil || f.view != nil || f.metrics != nil {
		hooks = append(hooks, analysis.OnFinding(f.found))
	}
	if f.stream != nil && f.o.live.exchanges || f.view != nil || f.metrics != nil {
		hooks = append(hooks, analysis.OnExchange(f.exchanged))
	}
	if f.metrics != nil {
		hooks = append(hooks, analysis.OnConnection(f.metrics.Connection))
	}
	return hooks
}

// found passes on a finding with an occurrence that has just become certain.
func (f *follower) found(found *report.Finding) {
	if f.metrics != nil {
		f.metrics.Finding(found)
	}
	if f.view != nil {
		f.view.Finding(found)
	}
	if f.stream != nil {
		start := f.src.Stats().Start
		f.put(func() error { return f.stream.Occurrence(f.o.known.Of(found, start)) })
	}
}

// exchanged passes on an exchange that has just been judged.
func (f *follower) exchanged(between report.Pair, x *report.ExchangeInfo) {
	if f.metrics != nil {
		f.metrics.Exchange(between, x)
	}
	if f.view != nil {
		f.view.Exchange(between.Server, x)
	}
	if f.stream != nil && f.o.live.exchanges {
		f.put(func() error { return f.stream.Exchange(x) })
	}
}

// tick writes what is due by time.
func (f *follower) tick(soFar func() *report.Report) {
	now := time.Now()
	f.manager.Tick(now, f.seen)
	if f.metrics != nil {
		f.metrics.Tick(f.src.Stats())
	}
	f.show(now)
	due := f.o.live.interval > 0 && now.Sub(f.written) >= f.o.live.interval
	if (due || f.asked.Load()) && !f.busy.Load() {
		f.asked.Store(false)
		f.written = now
		f.busy.Store(true)
		report := soFar()
		if !f.put(func() error { defer f.busy.Store(false); return f.writeSoFar(report) }) {
			f.busy.Store(false)
		}
	}
}

// seen is what a manager of services shows of the capture.
func (f *follower) seen() string {
	st := f.src.Stats()
	return fmt.Sprintf("%d frames captured, %d dropped by the kernel", st.Frames, st.KernelDrops())
}

// writeSoFar writes a report that is not the last.
func (f *follower) writeSoFar(r *report.Report) error {
	f.o.known.Apply(r)
	if f.stream != nil {
		return f.stream.SoFar(r)
	}
	if f.screen != nil && f.o.output == "" && isTerminal(f.stdout) {
		return f.screen.Aside(func() error { return f.o.writeReport(r, f.stdout) })
	}
	return f.o.writeReport(r, f.stdout)
}

// show draws the view, on a screen every second, else in lines every ten.
func (f *follower) show(now time.Time) {
	if f.view == nil {
		return
	}
	over := f.view.Advance(int64(now.Sub(f.began) / time.Second))
	if f.screen.stands() {
		if now.Sub(f.drawn) >= screenEvery {
			f.drawn = now
			f.screen.show(f.view.Snapshot(f.src.Stats()))
		}
		return
	}
	if !over {
		return
	}
	for _, line := range f.view.Lines() {
		f.put(func() error { _, err := fmt.Fprintf(f.stderr, "tcpwhy: %s\n", line); return err })
	}
}
