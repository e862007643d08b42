//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"strconv"

	"tcpwhy/analysis"
	"tcpwhy/capture"
)

// readerMode makes this program a reader that does nothing with what it reads.
const readerMode = "-reader"

// wholeMode makes it all of live capture, of which a profile is written.
const wholeMode = "-whole"

// listening opens the near end of the cable, until it is interrupted.
func listening(snapLen int) (*capture.Live, error) {
	src, err := capture.OpenLive(capture.LiveConfig{
		Interfaces: []string{"v0"}, SnapLen: snapLen, Promiscuous: true,
	})
	if err != nil {
		return nil, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		<-signals
		src.Stop()
	}()
	return src, nil
}

// profiled analyses what comes, and writes a profile of that.
func profiled(name string) error {
	src, err := listening(0)
	if err != nil {
		return err
	}
	defer src.Close()
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = analysis.Run(context.Background(), src)
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}

// readOnly reads the near end of the cable until it is interrupted.
func readOnly(snapLen string) error {
	n, err := strconv.Atoi(snapLen)
	if err != nil {
		return err
	}
	src, err := listening(n)
	if err != nil {
		return err
	}
	defer src.Close()
	var seg capture.Segment
	for err == nil || err == capture.ErrTick {
		err = src.Next(&seg)
	}
	if err != io.EOF {
		return err
	}
	st := src.Stats()
	_, err = fmt.Fprintf(os.Stderr, "%d frames, %d dropped\n", st.Frames, st.Inputs[0].KernelDrops)
	return err
}
