package capture

import (
	"errors"
	"fmt"
	"io"
	"os"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
)

// stdinName is how the user names standard input.
const stdinName = "-"

// inputsMax is how many inputs a FrameID can tell apart.
const inputsMax = 1 << 16

// Config says what to read.
type Config struct {
	Inputs []string  // names of files, in the order of the command line; "-" is Stdin
	Stdin  io.Reader // nil: os.Stdin
	Filter *Filter   // nil: everything
}

// Open opens capture files as one capture, merged by time. It reads the header of every input; the
// error, of one line, names the input that is no capture and says what it is instead.
func Open(c Config) (Source, error) {
	s, err := openInputs(c)
	if err != nil {
		return nil, err
	}
	s.sorter = newSorter(&s.stats, c.Filter)
	return s, nil
}

// openInputs does everything of Open but decoding.
func openInputs(c Config) (*source, error) {
	if err := checkNames(c.Inputs); err != nil {
		return nil, err
	}
	if c.Stdin == nil {
		c.Stdin = os.Stdin
	}
	s := &source{bufferSize: pcapio.BufferSize(len(c.Inputs))}
	s.stats.Inputs = make([]Input, len(c.Inputs))
	for index, name := range c.Inputs {
		s.stats.Inputs[index].Name = name
		in := &input{
			name:    name,
			key:     unread,
			account: account{stats: &s.stats, input: index, secrets: &s.secrets},
			hosts:   &s.hosts,
		}
		in.frame.Input = uint16(index)
		if name == stdinName {
			in.stdin = c.Stdin
		}
		if err := s.admit(in, len(c.Inputs) > 1); err != nil {
			// Errors are one line, and closing what was only read tells nothing that helps.
			_ = s.Close()
			return nil, err
		}
		s.queue = append(s.queue, in)
	}
	s.queue.arrange()
	return s, nil
}

// checkNames refuses lists of inputs that cannot be read.
func checkNames(names []string) error {
	if len(names) == 0 || len(names) > inputsMax {
		return fmt.Errorf("%d inputs: there must be 1 to %d", len(names), inputsMax)
	}
	stdin := 0
	for _, name := range names {
		if name == stdinName {
			stdin++
		}
	}
	if stdin > 1 {
		return errors.New("standard input can be read only once")
	}
	return nil
}

// admit reads the header of an input. Where there are several, one that can be opened again is
// closed after a look at the time of its first frame: of hundreds of files of a ring only those are
// open whose turn it is.
func (s *source) admit(in *input, several bool) error {
	if !several || !in.reopens() {
		return in.start(s.takeBuffer())
	}
	if s.spare == nil {
		s.spare = make([]byte, s.bufferSize)
	}
	look, err := pcapio.Open(in.name, nil, s.spare, unheard{})
	if err != nil {
		return err
	}
	var first frame.Frame
	if look.Next(&first) == nil {
		in.key = first.Time
	}
	told := in.account.of()
	told.Format, told.Compression = look.Format, look.Compression
	return look.Close()
}

// unheard is the account of a file that is only looked at: it is read again when its turn comes.
type unheard struct{}

// AddInterface implements pcapio.Account.
func (unheard) AddInterface(pcapio.Interface) (uint16, error) { return 0, nil }

// AddComment implements pcapio.Account.
func (unheard) AddComment(string) {}

// AddFrameComment implements pcapio.Account.
func (unheard) AddFrameComment(uint64, []byte) {}

// AddSecrets implements pcapio.Account.
func (unheard) AddSecrets([]byte) {}

// SetDrops implements pcapio.Account.
func (unheard) SetDrops(uint64) {}

// takeBuffer gives the buffer of an input that has ended, or a new one.
func (s *source) takeBuffer() []byte {
	buffer := s.spare
	s.spare = nil
	if buffer == nil {
		buffer = make([]byte, s.bufferSize)
	}
	return buffer
}

// reopens reports whether the input is a file that gives the same octets when it is opened again.
func (in *input) reopens() bool {
	if in.stdin != nil {
		return false
	}
	info, err := os.Stat(in.name)
	return err == nil && info.Mode().IsRegular()
}
