//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"

	"tcpwhy/capture"
)

// readerMode makes this program a reader that does nothing with what it reads.
const readerMode = "-reader"

// readOnly reads the near end of the cable until it is interrupted.
func readOnly(snapLen string) error {
	n, err := strconv.Atoi(snapLen)
	if err != nil {
		return err
	}
	src, err := capture.OpenLive(capture.LiveConfig{Interfaces: []string{"v0"}, SnapLen: n, Promiscuous: true})
	if err != nil {
		return err
	}
	defer src.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		<-signals
		src.Stop()
	}()
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
