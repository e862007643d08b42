package smallwrite

const ()
