"""The environments over the simulator: Gymnasium's and TorchRL's own checks, seeds, spaces, pictures."""

import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import ashen
from ashen.core.tables import boss_file
from ashen.obs import ENCODER_NAMES

FIGHTS = ("phase1", "phase2", "full")


def _random_play(env, steps, seed):
    """Observations, rewards and ends of uniformly random play, [steps, N, ...]."""
    rng = np.random.default_rng(seed)
    return [env.step(rng.integers(0, len(env.action_names), env.num_envs)) for _ in range(steps)]


@pytest.mark.parametrize("encoder", ENCODER_NAMES)
@pytest.mark.parametrize("fight", FIGHTS)
def test_gymnasiums_checker_passes_without_a_warning(encoder, fight):
    """Breaks if an environment leaves Gymnasium's contract: spaces, types, seeds, reuse of arrays."""
    env = gymnasium.make("ashen/Iudex-v0", fight=fight, encoder=encoder).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("encoder", [name for name in ENCODER_NAMES if name != "dict"])
def test_torchrls_checker_passes(encoder):
    """Breaks if TorchRL cannot wrap the environment. It reads no Discrete space that starts off 0, as SoulsGym's do."""
    libs = pytest.importorskip("torchrl.envs.libs.gym")
    utils = pytest.importorskip("torchrl.envs.utils")
    env = libs.GymWrapper(ashen.FightEnv(encoder=encoder))
    utils.check_env_specs(env)
    env.close()


def test_torchrl_makes_it_by_its_id():
    """Breaks if the id cannot be made through TorchRL's own door."""
    libs = pytest.importorskip("torchrl.envs.libs.gym")
    utils = pytest.importorskip("torchrl.envs.utils")
    env = libs.GymEnv("ashen/Iudex-v0", encoder="onehot74")
    utils.check_env_specs(env)
    env.close()


@pytest.mark.parametrize("encoder", ENCODER_NAMES)
@pytest.mark.parametrize("fight", FIGHTS)
def test_observations_lie_in_their_space_through_whole_fights(encoder, fight):
    """Breaks if random play, deaths and falls included, leaves the bounds of the space."""
    env = ashen.make_vec(fight=fight, num_envs=8, encoder=encoder, random_start=True, seed=1)
    obs, _ = env.reset()
    assert env.observation_space.contains(obs)
    ends = 0
    for obs, _, terminated, truncated, info in _random_play(env, 400, seed=2):
        assert env.observation_space.contains(obs)
        assert env.observation_space.contains(info["final_obs"])
        ends += int((terminated | truncated).sum())
    assert ends > 0


@pytest.mark.parametrize("skip_steps", [False, True])
def test_environment_i_is_the_single_environment_with_seed_plus_i(skip_steps):
    """Breaks if a fight depends on how many are played beside it, also after its first end."""
    count, steps, seed = 3, 700, 11
    options = {"encoder": "ashen", "random_start": True, "skip_steps": skip_steps}
    many = ashen.make_vec(num_envs=count, **options)
    first, _ = many.reset(seed=seed)
    actions = np.random.default_rng(0).integers(0, 20, (steps, count))
    played = [many.step(chosen) for chosen in actions]
    assert all(sum(step[2][i] for step in played) >= 1 for i in range(count))
    for i in range(count):
        one = ashen.FightEnv(**options)
        obs, _ = one.reset(seed=seed + i)
        np.testing.assert_array_equal(obs, first[i])
        for chosen, (vector_obs, rewards, terminated, _, info) in zip(actions, played, strict=True):
            obs, reward, ended, _, own = one.step(int(chosen[i]))
            np.testing.assert_array_equal(obs, info["final_obs"][i])
            assert (reward, ended) == (rewards[i], terminated[i])
            if ended:
                obs, own = one.reset()
            np.testing.assert_array_equal(obs, vector_obs[i])
            np.testing.assert_array_equal(own["action_mask"], info["action_mask"][i])


def test_many_fights_on_all_cores_equal_few_on_one():
    """Breaks if the parallel pass differs from the serial one in a single bit."""
    few, many = (ashen.make_vec(num_envs=n, encoder="ashen", reward="diary_escalating") for n in (4, 260))
    assert np.array_equal(few.reset(seed=9)[0], many.reset(seed=9)[0][:4])
    rng = np.random.default_rng(3)
    for _ in range(60):
        actions = rng.integers(0, 20, 260)
        one, other = few.step(actions[:4]), many.step(actions)
        for a, b in zip(one[:4], other[:4], strict=True):
            assert np.array_equal(a, b[:4])
        assert np.array_equal(one[4]["reward_terms"], other[4]["reward_terms"][:4])


def test_a_list_of_seeds_gives_each_fight_its_own():
    """Breaks if seeds given one by one are shifted or shared."""
    env = ashen.make_vec(num_envs=2, encoder="raw26", random_start=True)
    both, _ = env.reset(seed=[20, 40])
    for i, seed in enumerate((20, 40)):
        np.testing.assert_array_equal(env.reset(seed=seed)[0][0], both[i])


def test_resets_without_a_seed_go_on_to_other_fights():
    """Breaks if every fight after the first is the same, or two environments without seeds are."""
    env = ashen.make_vec(num_envs=1, encoder="raw26", random_start=True, seed=1)
    starts = {env.reset()[0].tobytes() for _ in range(40)}
    assert len(starts) > 5
    again = ashen.make_vec(num_envs=1, encoder="raw26", random_start=True, seed=1)
    assert again.reset()[0].tobytes() in starts


def test_the_dictionary_is_soulsgyms():
    """Breaks if a key, shape or type of SoulsGym's observation is missing."""
    env = ashen.FightEnv(encoder="dict")
    obs, _ = env.reset(seed=0)
    assert set(obs) == set(env.observation_space)
    assert list(obs) == [
        "phase", "player_hp", "player_max_hp", "player_sp", "player_max_sp", "boss_hp", "boss_max_hp",
        "player_pose", "boss_pose", "camera_pose", "player_animation", "player_animation_duration",
        "boss_animation", "boss_animation_duration", "lock_on",
    ]  # fmt: skip
    assert obs["camera_pose"].shape == (6,)
    assert obs["player_hp"].dtype == np.float32
    assert obs["boss_animation_duration"].shape == (1,)
    assert (obs["player_max_hp"], obs["boss_max_hp"]) == (454, 1037)


def test_the_dictionaries_of_an_environment_encode_to_its_observations():
    """Breaks if ashen.encode differs from what the environment shows for the same fight."""
    actions = np.random.default_rng(5).integers(0, 20, 120)
    told, shown = (ashen.FightEnv(encoder=name) for name in ("dict", "onehot74"))
    dictionaries, wanted = [told.reset(seed=4)[0]], [shown.reset(seed=4)[0]]
    for action in actions.tolist():
        dictionaries.append(told.step(action)[0])
        wanted.append(shown.step(action)[0])
    got = ashen.encode(dictionaries, "onehot74", actions=[0, *actions])
    np.testing.assert_array_equal(got, np.array(wanted))


def test_gymnasium_finds_the_vector_environment():
    """Breaks if gymnasium.make_vec builds N single environments instead of the native one."""
    env = gymnasium.make_vec("ashen/Iudex-v0", num_envs=3, vectorization_mode="vector_entry_point", encoder="onehot74")
    obs, _ = env.reset(seed=0)
    assert obs.shape == (3, 74)
    assert env.metadata["autoreset_mode"] == gymnasium.vector.AutoresetMode.SAME_STEP
    env.close()


@pytest.mark.parametrize("imports", ["import sys, ashen, gymnasium", "import sys, gymnasium, ashen"])
def test_importing_ashen_is_enough_for_gymnasium(imports):
    """Breaks if Gymnasium does not know the id after `import ashen`, in either order, or torch is loaded for it."""
    code = (
        f"{imports}\n"
        "gymnasium.make('ashen/Iudex-v0', encoder='onehot74').reset(seed=0)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("make", [ashen.FightEnv, ashen.make_vec])
def test_pictures_and_window(make):
    """Breaks if rendering fails, or shows anything else than pictures of red, green and blue."""
    env = make(render_mode="rgb_array")
    env.reset(seed=0)
    shown = env.render()
    image = shown if isinstance(shown, np.ndarray) else shown[0]
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    env.close()
    window = make(render_mode="human")
    window.reset(seed=0)
    window.step(window.action_space.sample())
    window.close()
    window.close()


def test_a_boss_may_be_given_as_the_path_of_its_table():
    """Breaks if a table outside the package is not found, or played otherwise than by its name."""
    by_name, by_path = (ashen.make_vec(boss, num_envs=2) for boss in ("iudex", str(boss_file("iudex"))))
    assert by_path.backend.table_hash == by_name.backend.table_hash
    np.testing.assert_array_equal(by_path.reset(seed=1)[0], by_name.reset(seed=1)[0])


def test_gymnasiums_statistics_count_whole_fights():
    """Breaks if Gymnasium's recorder of returns and lengths misses the end of a fight or counts into the next."""
    env = RecordEpisodeStatistics(ashen.make_vec(num_envs=2, encoder="raw26"))
    env.reset(seed=0)
    told = 0
    for _ in range(600):
        *_, info = env.step(env.action_space.sample())
        for i in np.flatnonzero(info["_final_obs"]):
            assert info["episode"]["l"][i] == env.unwrapped.final_states["step"][i]
            told += 1
    assert told
