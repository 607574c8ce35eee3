"""Trains the seed network with Keras on TensorFlow.

    python tools/bench/keras_train.py trial       # which way of running the step is the fastest here
    python tools/bench/keras_train.py SETTING     # a worker (see worker.py) that trains in that way
    python tools/bench/keras_train.py epochs N    # N whole epochs in Keras' own way, with the test loss
"""

import os
import sys
import time

os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}

import keras
import tensorflow as tf
from keras import layers

import digits
import worker


def build() -> keras.Model:
    """[n, 28, 28, 1] noisy -> [n, 28, 28, 1] logits."""
    image = keras.Input((28, 28, 1))
    x = image
    for filters, pooled in ((32, True), (32, True), (32, False)):
        x = layers.LeakyReLU(0.1)(layers.Conv2D(filters, 3, padding="same")(x))
        x = layers.MaxPooling2D(2)(x) if pooled else x
    for _ in range(2):
        x = layers.Conv2DTranspose(32, 3, strides=2, padding="same")(x)
    model = keras.Model(image, layers.Conv2D(1, 3, padding="same")(x))
    assert model.count_params() == 37_601
    return model


def add_noise(clean):
    return tf.clip_by_value(clean + digits.NOISE * tf.random.normal(tf.shape(clean)), 0.0, 1.0)


def pixels(images):
    """u8 [n, 28, 28] -> f32 [n, 28, 28, 1] in [0, 1]."""
    return tf.cast(images[..., None], tf.float32) / 255.0


def noisy_and_clean(images):
    clean = pixels(images)
    return add_noise(clean), clean


class Graph:
    """Steps from indices of images to updated weights, as one TensorFlow graph: one or several steps per call."""

    def __init__(self, images, jit: bool, steps: int = 1):
        self.images, self.steps, self.batches = tf.constant(images), steps, digits.Batches(len(images))
        self.model, self.optimizer = build(), keras.optimizers.Adam(1e-3)
        self.optimizer.build(self.model.trainable_variables)
        self.run = tf.function(self.several if steps > 1 else self.one, jit_compile=jit)

    def one(self, indices):
        clean = pixels(tf.gather(self.images, indices))
        with tf.GradientTape() as tape:
            logits = self.model(add_noise(clean), training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(clean, logits))
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.model.trainable_variables))
        return loss

    def several(self, indices):
        loss = 0.0
        for i in tf.range(self.steps):
            loss = self.one(indices[i])
        return loss

    def __call__(self) -> float:
        indices = [self.batches.next() for _ in range(self.steps)]
        return float(self.run(tf.constant(indices if self.steps > 1 else indices[0])))


class Fit:
    """`Model.fit` over a `tf.data` pipeline that draws the noise."""

    steps = 100  # per call, so that what `fit` does once does not count

    def __init__(self, images, steps_per_execution: int):
        self.model = build()
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        self.model.compile(
            keras.optimizers.Adam(1e-3), loss, steps_per_execution=steps_per_execution, jit_compile=False
        )
        data = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).repeat().batch(digits.BATCH)
        data = data.map(noisy_and_clean, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
        self.batches = iter(data)
        self.data = data

    def __call__(self) -> float:
        return self.model.fit(self.data, steps_per_epoch=self.steps, verbose=0).history["loss"][-1]


class TrainOnBatch(Fit):
    """`Model.train_on_batch` with batches of the same pipeline."""

    steps = 1

    def __call__(self) -> float:
        return float(self.model.train_on_batch(*next(self.batches)))


SETTINGS = {
    "tf.function": lambda images: Graph(images, jit=False),
    "tf.function, 20 steps per call": lambda images: Graph(images, jit=False, steps=20),
    "tf.function, XLA": lambda images: Graph(images, jit=True),
    "Model.fit": lambda images: Fit(images, steps_per_execution=1),
    "Model.fit, steps_per_execution=20": lambda images: Fit(images, steps_per_execution=20),
    "Model.train_on_batch": lambda images: TrainOnBatch(images, steps_per_execution=1),
}


def noise_drawn_once(images):
    """The noisy and clean test images; the noise from a fixed seed."""
    clean = pixels(images)
    noise = tf.random.stateless_normal(clean.shape, seed=(1, 2))
    return tf.clip_by_value(clean + digits.NOISE * noise, 0.0, 1.0), clean


def epochs(count: int) -> None:
    """Trains as the tutorial does; says after each epoch what `fit` took and what the test loss is."""
    train = Fit(digits.images("train"), steps_per_execution=20)
    noisy, clean = noise_drawn_once(digits.images("t10k"))
    for epoch in range(1, count + 1):
        start = time.perf_counter()
        train.model.fit(train.data, steps_per_epoch=digits.STEPS_PER_EPOCH, verbose=0)
        seconds = time.perf_counter() - start
        loss = train.model.evaluate(noisy, clean, batch_size=1000, verbose=0)
        worker.say(epoch=epoch, seconds=seconds, test_loss=loss)


def main() -> None:
    match sys.argv[1:]:
        case ["trial"]:
            images = digits.images("train")
            worker.trial({name: make(images) for name, make in SETTINGS.items()})
        case ["epochs", count]:
            epochs(int(count))
        case [setting] if setting in SETTINGS:
            worker.serve(SETTINGS[setting](digits.images("train")))
        case _:
            sys.exit(f"{__doc__}SETTING is one of: {'; '.join(SETTINGS)}")


if __name__ == "__main__":
    main()
