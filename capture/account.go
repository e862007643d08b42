package capture

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tcpwhy/capture/internal/pcapio"
)

// The limits on what is kept of an input beside its frames.
const (
	commentsMax   = 256     // comments of one input
	commentMax    = 1 << 10 // octets of a comment, the rest is cut
	secretsMax    = 4 << 20 // octets of decryption secrets of all inputs
	secretsCost   = 64      // octets that keeping a block of secrets costs beside its own
	linkTypesMax  = 64      // link types listed for one input
	interfacesMax = 1 << 16 // interfaces of one input
)

var errInterfaces = errors.New("more than 65,536 interfaces")

// account is where the reader of an input notes what it learns beside frames.
type account struct {
	stats   *Stats
	input   int  // index into stats.Inputs
	secrets *int // octets kept so far, of all inputs
	ifaces  int  // of this input, so far
}

func (a *account) of() *Input { return &a.stats.Inputs[a.input] }

// AddInterface implements pcapio.Account: it gives the interface's index into Stats.Interfaces.
func (a *account) AddInterface(i pcapio.Interface) (uint32, error) {
	if a.ifaces >= interfacesMax {
		return 0, errInterfaces
	}
	a.ifaces++
	index := len(a.stats.Interfaces)
	link := i.Link.String()
	a.stats.Interfaces = append(a.stats.Interfaces, Interface{
		Input: a.input, Name: i.Name, LinkType: link, Resolution: i.Resolution, SnapLen: i.SnapLen,
	})
	in := a.of()
	if len(in.LinkTypes) < linkTypesMax && !slices.Contains(in.LinkTypes, link) {
		in.LinkTypes = append(in.LinkTypes, link)
	}
	return uint32(index), nil
}

// AddComment implements pcapio.Account: it keeps a comment, as text that can be shown.
func (a *account) AddComment(text string) {
	in := a.of()
	if len(in.Comments) < commentsMax && text != "" {
		in.Comments = append(in.Comments,
			strings.ToValidUTF8(text[:min(len(text), commentMax)], ""))
	}
}

// AddFrameComment implements pcapio.Account.
func (a *account) AddFrameComment(number uint64, text []byte) {
	if step, ok := setStep(text); ok {
		a.stats.addSet(step, NewFrameID(a.input, number))
	}
	if len(a.of().Comments) < commentsMax {
		a.AddComment(fmt.Sprintf("frame %d: %s", number, text))
	}
}

// AddSecrets implements pcapio.Account: it keeps a copy of a key log, or nothing if that were too
// much.
func (a *account) AddSecrets(log []byte) {
	cost := len(log) + secretsCost
	if *a.secrets+cost > secretsMax {
		return
	}
	*a.secrets += cost
	a.stats.Secrets = append(a.stats.Secrets, slices.Clone(log))
}

// SetDrops implements pcapio.Account.
func (a *account) SetDrops(frames uint64) { a.of().KernelDrops = frames }

// setNote is what the first frame after a step of the clock says in the file that a live capture is
// saved to, for this program and for people.
const (
	setNote     = setNoteHead + "%d ns before this frame; times go on as if it had not been"
	setNoteHead = "clock set by "
)

// setStep is the step of the clock that a comment on a frame tells of, if it does.
func setStep(comment []byte) (time.Duration, bool) {
	rest, ok := bytes.CutPrefix(comment, []byte(setNoteHead))
	number, _, found := bytes.Cut(rest, []byte(" ns"))
	ns, err := strconv.ParseInt(string(number[:min(len(number), 20)]), 10, 64)
	return time.Duration(ns), ok && found && err == nil
}
