package redact

import (
	"bufio"
	"errors"
	"io"

	"tcpwhy/capture"
	"tcpwhy/capture/anonym"
)

// copyBuffer is how much of a copy is written at once, in octets.
const copyBuffer = 256 << 10

// note tells who opens a copy what it is.
const note = "Made to be handed out (tcpwhy --share): addresses, names and words stand for others, " +
	"and payload is zeros but for the framing of protocols."

// Copy writes to w what may be handed out of the frames of capture files that their filter leaves,
// as a pcapng file. What stands for addresses and names is chosen anew each time. full says that
// there was more than is kept, of which only zeros are shown.
func Copy(w io.Writer, config capture.Config) (full bool, err error) {
	key, err := anonym.NewKey()
	if err != nil {
		return false, err
	}
	mapper := anonym.New(key)
	plan, err := planOf(config, mapper)
	if err != nil {
		return false, err
	}
	only, err := capture.Unfiltered(config)
	if err != nil {
		return false, err
	}
	buffered := bufio.NewWriterSize(w, copyBuffer)
	err = capture.Copy(buffered, capture.CopyConfig{
		Config: config, Only: only, Notes: &capture.Notes{Summary: []string{note}},
		Anonymiser: anonym.NewAnonymiser(mapper, plan),
	})
	return plan.full, errors.Join(err, buffered.Flush())
}

// planOf reads a capture for what may be shown of it.
func planOf(config capture.Config, mapper *anonym.Mapper) (*Plan, error) {
	src, err := capture.Open(config)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	plan := NewPlan(mapper)
	for seg := (capture.Segment{}); ; {
		switch err := src.Next(&seg); {
		case errors.Is(err, io.EOF):
			plan.Finish()
			return plan, nil
		case err != nil:
			return nil, err
		}
		plan.Add(&seg)
	}
}
