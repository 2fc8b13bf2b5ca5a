// Package supervisor runs one program from its start to its end: it is the state that the agent's requests, the
// container's signals and the program's own exit change, one after the other, in one loop.
package supervisor

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/layer"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/output"
	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/protocol"
	"ergosphere.dev/launcher/internal/reaper"
)

// The states that the agent sees.
const (
	Waiting  = "Waiting"
	Running  = "Running"
	Frozen   = "Frozen"
	Restored = "Restored"
	Exited   = "Exited"
)

// Config is what one launcher is told once and for all.
type Config struct {
	Program program.Spec
	// Job is the UID of the job that the program belongs to.
	Job            string
	Grace          time.Duration
	Socket         string
	Images         string
	TerminationLog string
	Roots          []layer.Root
	CRIU           criu.Installed
	// Saving is nil for a program that is frozen and dumped as it is.
	Saving *Saving
}

// Supervisor is the state of one program. Only its loop touches it.
type Supervisor struct {
	config Config
	link   *link.Link
	reaper *reaper.Reaper

	signals <-chan os.Signal

	state  string
	record checkpoint.Record
	ended  <-chan syscall.WaitStatus
	stdout *output.Pump
	stderr *output.Pump

	// ready is empty unless a cut has been announced.
	ready ready
	// worker holds the program in the states Frozen and Restored.
	worker *criu.Worker
	// frozen is nil unless the program is frozen and not dumped yet.
	frozen *checkpoint.Frozen
	// said is the answer to whoever asks again for the cut that holds the program.
	said  protocol.Reply
	cut   string
	lease *time.Timer

	// save is how far a program that saves its own state has come with it.
	save save

	// restored is when what it goes on from was laid into its directory; the zero time when it began with nothing.
	restored time.Time

	// busy names the operation under way, whose end arrives in finished.
	busy     string
	finished chan func()

	// deadline fires when a terminating launcher may wait no longer to be asked to leave.
	deadline    <-chan time.Time
	lastMoment  time.Time
	terminating bool
	// told says that the program has been told to end: what it is about to do must not be taken elsewhere.
	told bool

	exit     protocol.Exit
	exitCode int
	over     bool
}

// New opens the agent's socket. The program waits to be started.
func New(config Config, reaper *reaper.Reaper) (*Supervisor, error) {
	// Before anybody can know that we are there: a signal that comes earlier would end us without a word.
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	agent, err := link.Listen(config.Socket)
	if err != nil {
		return nil, err
	}
	lease := time.NewTimer(0)
	lease.Stop()
	return &Supervisor{
		config: config, link: agent, reaper: reaper, state: Waiting,
		lease: lease, finished: make(chan func(), 1), signals: signals,
	}, nil
}

// Run handles whatever happens until the program has ended or left, and returns the exit code of the container.
func (s *Supervisor) Run() int {
	for !s.over {
		select {
		case call := <-s.link.Calls:
			s.handle(call)
		case received := <-s.signals:
			s.onSignal(received.(syscall.Signal))
		case status := <-s.ended:
			s.onProgramEnd(status)
		case finish := <-s.finished:
			s.busy = ""
			finish()
		case <-s.checkpointerEnded():
			s.onCheckpointerEnd()
		case <-s.lease.C:
			s.onLeaseEnd()
		case <-s.save.overdue:
			s.onOverdue()
		case <-s.deadline:
			s.terminate()
		}
	}
	return s.exitCode
}

// perform runs a long operation beside the loop; what it returns is run in the loop when it is done.
func (s *Supervisor) perform(name string, operation func() (finish func())) {
	s.busy = name
	go func() { s.finished <- operation() }()
}
