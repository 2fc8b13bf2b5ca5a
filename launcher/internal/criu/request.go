package criu

// The request and response types of rpc.proto.
const (
	typeDump    = 1
	typeRestore = 2
	typeNotify  = 6
)

const (
	cgroupsIgnore   = 0
	networkLockSkip = 3
	logLevelDebug   = 4
	// ghostLimit bounds each file that is open but unlinked and therefore stored whole in the image. Data loaders
	// keep batches of many megabytes in such files; the field is unsigned 32 bits wide.
	ghostLimit = 1<<32 - 1
	// freezeTimeoutSeconds bounds how long CRIU tries to stop the tree.
	freezeTimeoutSeconds = 20
)

// dumpRequest leaves the tree running in the end: whether it does so, or is killed before, is decided while
// CRIU holds it. The network is not locked by CRIU: the agent locks the job's own, on every worker before any is
// dumped, and other connections are reset at a restore.
func dumpRequest(root int, dir string) message {
	opts := common(dir, "dump.log").
		int(2, int64(root)).
		bool(3, true).  // leave_running
		bool(4, true).  // ext_unix_sk
		bool(8, true).  // file_locks
		bool(18, true). // link_remap
		bool(21, true). // force_irmap
		uint(35, ghostLimit).
		uint(45, freezeTimeoutSeconds)
	return message{}.uint(1, typeDump).bytes(2, opts)
}

// inherited maps a pipe, by the kernel's name for it where it was dumped, to a descriptor of the worker.
type inherited struct {
	key        string
	descriptor int
}

func restoreRequest(dir string, pipes []inherited) message {
	opts := common(dir, "restore.log").
		bool(4, true). // ext_unix_sk
		bool(8, true). // file_locks
		bool(18, true) // link_remap
	for _, pipe := range pipes {
		opts = opts.bytes(27, message{}.string(1, pipe.key).int(2, int64(pipe.descriptor)))
	}
	return message{}.uint(1, typeRestore).bytes(2, opts)
}

// common is "unprivileged": CRIU then does without what only a host's root may do, and keeps its cache out of the
// reach of the user's program.
func common(dir, log string) message {
	return message{}.
		int(1, -1).    // images_dir_fd: the path counts
		bool(5, true). // tcp_established
		uint(9, logLevelDebug).
		string(10, log).
		bool(12, true). // notify_scripts
		uint(34, cgroupsIgnore).
		uint(64, networkLockSkip).
		bool(67, true). // unprivileged
		string(68, dir)
}

// answer tells CRIU to go on from the stage it announced.
func answer() message { return message{}.uint(1, typeNotify).bool(3, true) }

// response is what CRIU sends: the announcement of a stage, or the end.
type response struct {
	stage   string
	success bool
	message string
}

func parseResponse(buffer []byte) (response, error) {
	top, err := decode(buffer)
	if err != nil {
		return response{}, err
	}
	parsed := response{success: top.numbers[2] == 1, message: string(top.values[9])}
	if top.numbers[1] != typeNotify {
		return parsed, nil
	}
	notify, err := decode(top.values[5])
	if err != nil {
		return response{}, err
	}
	parsed.stage = string(notify.values[1])
	return parsed, nil
}
