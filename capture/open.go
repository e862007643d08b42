package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"tcpwhy/capture/internal/frame"
	"tcpwhy/capture/internal/pcapio"
	"tcpwhy/capture/segment"
)

// stdinName is how the user names standard input.
const stdinName = "-"

// Config says what to read.
type Config struct {
	Inputs []string  // names of files, in the order of the command line; "-" is Stdin
	Stdin  io.Reader // nil: os.Stdin
	// Recordings are read as well: their numbers are behind those of Inputs.
	Recordings []Recording
	Filter     *Filter // nil: everything
	// Start is the moment from which times count, given that of the first frame, if it is not later
	// than that; nil: from the first frame.
	Start func(first time.Time) time.Time
}

// recordings are all that is to be read, in the order of their numbers.
func (c *Config) recordings() []Recording {
	all := make([]Recording, 0, len(c.Inputs)+len(c.Recordings))
	for _, name := range c.Inputs {
		switch {
		case name != stdinName:
			all = append(all, File(name))
		case c.Stdin != nil:
			all = append(all, Stream(name, c.Stdin))
		default:
			all = append(all, Stream(name, os.Stdin))
		}
	}
	return append(all, c.Recordings...)
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
	if err := cmp.Or(checkCount(len(c.Inputs)+len(c.Recordings)),
		checkNames(c.Inputs)); err != nil {
		return nil, err
	}
	all := c.recordings()
	s := &source{bufferSize: pcapio.BufferSize(len(all)), from: c.Start}
	s.stats.Inputs = make([]Input, len(all))
	for index, from := range all {
		s.stats.Inputs[index].Name = from.Name()
		in := &input{
			from:    from,
			key:     unread,
			account: account{stats: &s.stats, input: index, secrets: &s.secrets},
			hosts:   &s.hosts,
			octets:  &s.read.octets,
		}
		in.frame.Input = uint32(index)
		s.read.expect(from)
		if err := s.admit(in, len(all) > 1); err != nil {
			// Errors are one line, and closing what was only read tells nothing that helps.
			_ = s.Close()
			return nil, err
		}
		s.queue = append(s.queue, in)
	}
	s.queue.arrange()
	return s, nil
}

// checkCount refuses no input, and more than can be told apart.
func checkCount(n int) error {
	if n == 0 || n > segment.InputsMax {
		return fmt.Errorf("%d inputs: there must be 1 to %d", n, segment.InputsMax)
	}
	return nil
}

// checkNames refuses lists of inputs that cannot be read.
func checkNames(names []string) error {
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
	if !several || !reopens(in.from) {
		return in.start(s.takeBuffer())
	}
	if s.spare == nil {
		s.spare = make([]byte, s.bufferSize)
	}
	look, err := pcapio.Open(storedAs(in.from, new(int64)), s.spare, unheard{})
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
func (unheard) AddInterface(pcapio.Interface) (uint32, error) { return 0, nil }

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
