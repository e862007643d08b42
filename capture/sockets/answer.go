package sockets

import (
	"encoding/binary"
	"syscall"
)

// answer looks through what came after a question about one socket. It is over when the answer is
// there, or that there is none; what belongs to questions before is passed over.
func answer(b []byte, seq uint32, of tuple) (t told, found, over bool, err error) {
	for len(b) > 0 {
		kind, number, body, rest, err := message(b)
		if err != nil {
			return t, false, false, err
		}
		b = rest
		if number != seq {
			continue
		}
		if kind == typeError {
			return t, false, true, refusal(body)
		}
		if kind != typeByFam {
			continue
		}
		t, err := socket(body)
		if err == nil && !t.answers(of) {
			err = errOdd
		}
		return t, err == nil, true, err
	}
	return t, false, false, nil
}

// refusal reads struct nlmsgerr: that there is no such socket is none.
func refusal(body []byte) error {
	if len(body) < 4 {
		return errOdd
	}
	switch no := syscall.Errno(-int32(binary.NativeEndian.Uint32(body))); no {
	case 0, syscall.ENOENT:
		return nil
	default:
		return no
	}
}

// answers reports whether a socket is the one asked for, or listens for it: the kernel looks for
// that if there is no such connection.
func (t *told) answers(of tuple) bool {
	if t.state == stateListen {
		return t.local.Port() == of.local.Port()
	}
	return t.tuple == of
}

// each calls f for every socket in the answer to a question for all, and reports whether that was
// the last part of it.
func each(b []byte, seq uint32, f func(*told)) (over bool, err error) {
	for len(b) > 0 {
		kind, number, body, rest, err := message(b)
		if err != nil {
			return false, err
		}
		b = rest
		switch {
		case number != seq:
		case kind == typeDone:
			return true, nil
		case kind == typeError:
			return true, refusal(body)
		case kind == typeByFam:
			t, err := socket(body)
			if err != nil {
				return false, err
			}
			f(&t)
		}
	}
	return false, nil
}

// ended calls f for every socket that a message of the groups of ended sockets tells of.
func ended(b []byte, f func(*told)) error {
	for len(b) > 0 {
		kind, _, body, rest, err := message(b)
		if err != nil {
			return err
		}
		b = rest
		if kind != typeByFam {
			continue
		}
		t, err := socket(body)
		if err != nil {
			return err
		}
		if t.account != nil {
			t.account.Final = true
		}
		f(&t)
	}
	return nil
}
