package cli

// account is whom the program is to become.
type account struct{}

// findUser refuses --user: Windows has no such thing.
func findUser(name string) (*account, error) {
	if name != "" {
		return nil, &usageError{"--user: not on this system", ""}
	}
	return nil, nil
}

func (*account) become() error { return nil }
