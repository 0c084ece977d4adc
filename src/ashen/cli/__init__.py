"""The command ``ashen``: one verb, one function. Everything heavy is imported inside the verb that needs it."""

import shlex
import sys
from collections.abc import Callable, Sequence

from ashen.cli.doctor import doctor
from ashen.cli.fleet import fleet
from ashen.cli.gaming import unstick
from ashen.cli.judging import bench, calibrate, evaluate, exploits, fidelity
from ashen.cli.recording import export, fights, rescore
from ashen.cli.sharing import demo, leaderboard, pack
from ashen.cli.shelf import runs
from ashen.cli.training import finetune, fork, import_checkpoint, join, pretrain, recipes, resume, sweep, train
from ashen.cli.watching import compare, explain, film, play, plot, report
from ashen.core.errors import NO_ROOM, NOT_ALLOWED, LoggedError, UserError, unknown
from ashen.core.threads import wait_briefly

AGAIN = {"train": "resume RUN", "finetune": "resume RUN", "resume": "resume RUN", "sweep": "sweep --resume"}
"""What goes on with a verb's work that was saved when the disk was full, or Ctrl-C was pressed twice."""
HELP = """usage: ashen VERB [OPTIONS]

Trains agents that beat Souls bosses, on a fast simulated fight.

  train [RECIPE]       train an agent, watch it, and get its win rate, curves and a film
  resume RUN           go on with a training that was stopped, as if it had not been
  fork RUN             go on from a training by other settings, in a new run
  finetune RUN         adapt a trained agent to a fight that differs or to the game; only a better one replaces it
  pretrain [RECIPE]    clone the play of recorded fights, as a start for train --parent or finetune
  runs                 list the runs and what came of each; runs tag, untag, trash and restore keep order
  evaluate RUN         fight many times and count: win rate with interval, length, damage by attack
  exploits RUN         check that wins are earned: no stuck boss, no death without a blow, no need of the cliff
  play                 fight yourself, in a window, with keyboard or gamepad
  film RUN             film a fight of a run; of your own: film human
  explain RUN          tell why a fight went as it did: decisions, blows, lost hit points
  report RUN           explain a run on one page of HTML: curves, attacks, maps, comparison, films
  plot RUN...          draw learning curves
  compare RUN...       compare recipes over seeds: interquartile means, curves, probability of improvement
  sweep [RECIPE]       search for better settings of a recipe, with Optuna, on all cores
  fights RUN           list the recorded fights of a run
  rescore RUN          compute their returns under another reward, without playing
  export RUN           write them as a data set of Minari, for other learners
  join RUN1 RUN2       make one run of two: the first plays phase 1, the second phase 2
  import-checkpoint F  make a run of a checkpoint file of RL-Souls
  pack RUN             make one file of an agent, NAME.ashen, which plays on any machine and executes nothing
  leaderboard [PACK...]  rank packs and opponents in the benchmark's fights, with intervals
  demo                 watch the agent that came with ashen fight
  fidelity             compare the simulator with the real game, figure by figure
  calibrate            refit the boss's numbers to recorded fights, as an overlay for --overlay of train and evaluate
  bench                measure speed here: of the fight, against other libraries, on a GPU
  doctor               look over what the real game needs, line by line, and how to mend it
  unstick              leave the real game playable after a crash: speed, flags, gravity, keys
  fleet                several machines play, one learns: fleet start, fleet join ADDRESS, fleet status
  recipes              list the recipes

RUN is a run's name or folder, or a pack (NAME.ashen) where an agent is enough; for film and explain also a recorded
fight (npz). evaluate, exploits and explain also take a built-in opponent:
  random, random-valid, always-attack, roll-and-hit, oracle

ashen VERB --help tells the options of a verb, ashen --version the version.
"""

_VERBS = (train, resume, fork, finetune, pretrain, runs, evaluate, exploits, play, film, explain, report, plot)
_VERBS += (compare, sweep, fights, rescore, export, join, import_checkpoint, pack, leaderboard, demo, fidelity)
_VERBS += (calibrate, bench, doctor, unstick, fleet, recipes)
VERBS: dict[str, Callable[[Sequence[str]], int | None]] = {verb.__name__.replace("_", "-"): verb for verb in _VERBS}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        words: what stands after ``ashen`` on the command line; None reads it from there.

    Returns:
        The exit code: 0 done, 1 a check failed or ashen itself did, 2 something the user can mend (said in one line on
        standard error), 130 interrupted.
    """
    words = list(sys.argv[1:] if words is None else words)
    if not words or words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        import ashen

        print(ashen.__version__)
        return 0
    wait_briefly()
    try:
        if words[0] not in VERBS:
            raise unknown("verb", words[0], VERBS)
        return VERBS[words[0]](words[1:]) or 0
    except UserError as error:
        return _complain(str(error))
    except LoggedError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        sys.stdout = None  # the reader, such as head, has gone: nothing is left to flush
        return 0
    except OSError as error:
        if error.errno in NOT_ALLOWED:
            return _complain(f"{error.filename or 'a file'} cannot be written ({error.strerror}); see to its rights")
        if error.errno not in NO_ROOM:
            raise
        again = AGAIN.get(words[0]) or shlex.join(words)
        full = f"the disk of {error.filename} is full" if error.filename else "the disk is full"
        return _complain(f"{full} ({error.strerror}); make room, what was saved is whole, then: ashen {again}")
    except KeyboardInterrupt:
        again = AGAIN.get(words[0])
        how = f"; what was saved goes on with: ashen {again}" if again else ""
        print(f"ashen: interrupted{how}", file=sys.stderr)
        return 130


def _complain(message: str) -> int:
    print(f"ashen: {' '.join(message.split())}", file=sys.stderr)
    return 2
