package exchange

// Closing is how a connection is coming to its end.
type Closing struct {
	Finished [2]bool // by Dir: all before its FIN was delivered
	Begun    bool    // one side has closed or reset the connection
	First    Dir     // which, if Begun
}

// Close notes a FIN or RST of dir.
func (e *Closing) Close(dir Dir) {
	if !e.Begun {
		e.Begun, e.First = true, dir
	}
}

// Finish notes that all before the FIN of dir was delivered. It reports whether that is new.
func (e *Closing) Finish(dir Dir) bool {
	if e.Finished[dir] {
		return false
	}
	e.Close(dir)
	e.Finished[dir] = true
	return true
}

// Broken is the outcome of an exchange that the end of the connection cut off: o, but the client
// gave up if it closed first.
func (e *Closing) Broken(o Outcome) Outcome {
	if e.Begun && e.First == FromClient {
		return Aborted
	}
	return o
}
