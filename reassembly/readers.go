package reassembly

// knownReaders are readers of all protocols that are known.
func knownReaders() Readers { return newReaders(newTLSRecords(), newHTTP2(), newHTTP1()) }
