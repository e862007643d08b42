package capture

import (
	"errors"
	"math"
	"slices"
	"strings"
)

// The limits on what is kept of an input beside its frames.
const (
	commentsMax   = 256     // comments of one input
	commentMax    = 1 << 10 // octets of a comment, the rest is cut
	secretsMax    = 4 << 20 // octets of decryption secrets of all inputs
	secretsCost   = 64      // octets that keeping a block of secrets costs beside its own
	linkTypesMax  = 64      // link types listed for one input
	interfacesMax = math.MaxUint16 + 1
	// octets of an interface's name, the rest is cut: a file may have 65,536 times 65,535
	nameMax = 256
)

var errInterfaces = errors.New("more than 65,536 interfaces")

// account is where the reader of an input notes what it learns beside frames.
type account struct {
	stats   *Stats
	input   int  // index into stats.Inputs
	secrets *int // octets kept so far, of all inputs
}

func (a *account) of() *Input { return &a.stats.Inputs[a.input] }

// addInterface enters an interface and gives its index into Stats.Interfaces.
func (a *account) addInterface(i Interface) (uint16, error) {
	index := len(a.stats.Interfaces)
	if index >= interfacesMax {
		return 0, errInterfaces
	}
	i.Input = a.input
	a.stats.Interfaces = append(a.stats.Interfaces, i)
	in := a.of()
	if len(in.LinkTypes) < linkTypesMax && !slices.Contains(in.LinkTypes, i.LinkType) {
		in.LinkTypes = append(in.LinkTypes, i.LinkType)
	}
	return uint16(index), nil
}

// addComment keeps a comment, as text that can be shown.
func (a *account) addComment(text string) {
	in := a.of()
	if len(in.Comments) < commentsMax && text != "" {
		in.Comments = append(
			in.Comments,
			strings.ToValidUTF8(text[:min(len(text), commentMax)], ""),
		)
	}
}

// addSecrets keeps a copy of decryption secrets, or nothing if that were too much.
func (a *account) addSecrets(secrets []byte) {
	cost := len(secrets) + secretsCost
	if *a.secrets+cost > secretsMax {
		return
	}
	*a.secrets += cost
	in := a.of()
	in.Secrets = append(in.Secrets, slices.Clone(secrets))
}
